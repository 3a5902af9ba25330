"""secc.toml: what one SECC process needs to know. Errors name file, key and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pki import revocation_settings
from pki.revocation_settings import Host, RevocationSettings
from secc.api import Name
from secc.authorization import AuthorizationSettings
from secc.liveness import ControllerSettings
from secc.mqtt import Broker
from v2g import capture, toml
from v2g.capture import CaptureSettings
from v2g.record import Record
from v2g.tls.limits import Backend
from v2g.toml import ConfigurationError

MOST_OWN = 6  # a list has 8 services at the most, those of certificates and Internet access among them

Access = Literal["ftp-data", "ftp", "http", "https"]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class TlsIdentity(Record, forbid_unknown_fields=True):
    """One SECC certificate: PEM files, the chain leaf first and without the root; its key tells the generation.

    `root` is the PEM file of the V2G root the chain hangs on: a vehicle names the roots it trusts by their hashes.
    """

    chain: str
    key: str
    root: str | None = None
    password: str | None = None


class TlsSettings(Record, forbid_unknown_fields=True):
    """TLS is required unless `required = false`; chain, key, root and password are those of the first identity."""

    required: bool = True
    chain: str | None = None
    key: str | None = None
    root: str | None = None
    password: str | None = None
    identity: list[TlsIdentity] = []
    backend: Backend = Backend.OPENSSL
    """The library that serves ISO 15118-20; ISO 15118-2 is OpenSSL's."""
    handshake_s: Annotated[float, Meta(gt=0, le=60)] = 10.0

    @property
    def identities(self) -> list[TlsIdentity]:
        """All identities, the one of the table itself first."""
        if self.chain is None or self.key is None:
            return self.identity
        first = TlsIdentity(chain=self.chain, key=self.key, root=self.root, password=self.password)
        return [first, *self.identity]


class TrustSettings(RevocationSettings, forbid_unknown_fields=True):
    """PEM bundles of roots.

    Contracts may hang on those of `contract` (MO roots, and V2G roots for MO branches under them), vehicle certificates
    of ISO 15118-20 on those of `vehicle` (OEM roots, and V2G roots likewise).
    """

    contract: list[str] = []
    vehicle: list[str] = []


class StapleSettings(Record, forbid_unknown_fields=True):
    """Where the OCSP responses come from that vehicles get with the station's certificates; without any, they get none.

    `folder` holds them as files (.der) and keeps what came; the operator is asked over MQTT where `operator` says so,
    and whom the certificates name, as far as the hosts are among `fetch`: "host", "host:port" or "*".
    """

    folder: str | None = None
    operator: bool = False
    operator_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    fetch: list[Host] = []
    fetch_s: Annotated[float, Meta(gt=0, le=30)] = 5.0


class Evse(Record, forbid_unknown_fields=True):
    """One charging point: its name in the MQTT tree and its network interface. Port 0 is any free port."""

    id: Name
    interface: str
    sdp_port: Port = 15118
    tcp_port: Port = 0
    tls_port: Port = 0


class ProvisioningSettings(Record, forbid_unknown_fields=True):
    """Which contract certificates cars may get through this station; needs an operator who answers over MQTT."""

    install: bool = False
    update: bool = False
    free: bool = True


class OwnSet(Record, forbid_unknown_fields=True):
    """One parameter set of a service of the operator's own; whole numbers are told as int, the rest as it stands."""

    id: Annotated[int, Meta(ge=-32_768, le=32_767)]
    parameters: Annotated[
        dict[
            Annotated[str, Meta(min_length=1, max_length=64)],
            bool | Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | Annotated[str, Meta(max_length=256)],
        ],
        Meta(min_length=1, max_length=16),
    ]


class OwnService(Record, forbid_unknown_fields=True):
    """A service of the operator's own; implementation-specific ids begin at 60001 (unverified)."""

    id: Annotated[int, Meta(ge=4, le=65_535)]
    name: Annotated[str, Meta(min_length=1, max_length=32)]
    category: Literal["Internet", "OtherCustom"] = "OtherCustom"
    scope: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    free: bool = True
    sets: Annotated[list[OwnSet], Meta(max_length=255)] = []


class ServiceSettings(Record, forbid_unknown_fields=True):
    """The value added services; that of certificates has settings of its own."""

    internet: tuple[Access, ...] = ()
    internet_free: bool = True
    own: Annotated[list[OwnService], Meta(max_length=MOST_OWN)] = []

    def __post_init__(self) -> None:
        """Refuse what could not be told apart."""
        ids: dict[str, Sequence[object]] = {"internet": self.internet, "own id": [each.id for each in self.own]}
        ids |= {f"sets id of own {each.id}": [one.id for one in each.sets] for each in self.own}
        for what, used in ids.items():
            if len(set(used)) < len(used):
                raise ValueError(f"{what}: one stands twice; each may stand once")


class PlanSettings(Record, forbid_unknown_fields=True):
    """Who plans how much may flow when, and how long a vehicle is made to wait for it."""

    source: Literal["none", "charger", "backend"] = "none"
    wait_s: Annotated[float, Meta(ge=0, le=50)] = 20.0


class ReceiptSettings(Record, forbid_unknown_fields=True):
    """How often a vehicle with a contract has to sign the meter's reading, and the folder where that is kept."""

    every_s: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    folder: str | None = None


class SessionSettings(Record, forbid_unknown_fields=True):
    """What sessions speak and how strictly they are kept.

    `din` has no TLS: it is spoken on plain TCP alone, where `[tls] required = false` opens that.
    """

    protocols: Annotated[tuple[Literal["iso2", "din"], ...], Meta(min_length=1)] = ("iso2", "din")
    undecodable: Literal["close", "ignore"] = "close"
    profile: Literal["strict", "tolerant"] = "strict"
    profile_tolerance: Annotated[float, Meta(ge=0, le=0.2)] = 0.005
    notification_max_delay_s: Annotated[int, Meta(ge=0, le=600)] = 10
    no_energy: Literal["before_cable_check", "after_precharge"] = "before_cable_check"
    pause: bool = True
    direct_restart: bool = True
    emaid: Literal["plain", "hash"] = "plain"


class SeccConfig(Record, forbid_unknown_fields=True):
    """The whole of secc.toml."""

    evse: Annotated[list[Evse], Meta(min_length=1, max_length=64)]
    mqtt: Broker = Broker()
    controller: ControllerSettings = ControllerSettings()
    tls: TlsSettings = TlsSettings()
    staples: StapleSettings = StapleSettings()
    trust: TrustSettings = TrustSettings()
    authorization: AuthorizationSettings = AuthorizationSettings()
    provisioning: ProvisioningSettings = ProvisioningSettings()
    services: ServiceSettings = ServiceSettings()
    plan: PlanSettings = PlanSettings()
    receipts: ReceiptSettings = ReceiptSettings()
    session: SessionSettings = SessionSettings()
    capture: CaptureSettings = CaptureSettings()


def load(path: Path) -> SeccConfig:
    """Read secc.toml; relative file names in it are relative to its folder. Raises `ConfigurationError`."""
    raw = toml.read(path, absent="docs/secc.md shows one to start from")
    config = toml.convert(raw, SeccConfig, path, remedy="docs/secc.md shows every key")
    _check(path, config)
    return _anchored(path.parent, config)


def _check(path: Path, config: SeccConfig) -> None:
    names = [each.id for each in config.evse]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"{path}: [[evse]] id: {', '.join(names)}: each id may stand once")
    if config.tls.required and not (config.tls.chain and config.tls.key) and not config.tls.identity:
        raise ConfigurationError(
            f"{path}: [tls] chain and key are missing: name the SECC certificate chain and its key "
            "(`plugcharge pki init` makes them), or set `required = false` to speak plain TCP"
        )
    if (config.tls.chain is None) != (config.tls.key is None):
        raise ConfigurationError(f"{path}: [tls] chain and key go together")
    if config.tls.required and config.session.protocols == ("din",):
        raise ConfigurationError(
            f'{path}: [session] protocols = ["din"]: DIN 70121 knows no TLS; add "iso2", '
            "or set `required = false` in [tls] to speak plain TCP"
        )
    if len(set(config.session.protocols)) != len(config.session.protocols):
        raise ConfigurationError(f"{path}: [session] protocols: each may stand once")
    if config.tls.root and not config.tls.chain:
        raise ConfigurationError(f"{path}: [tls] root is there for a chain; name chain and key, too, or leave it out")


def _anchored(folder: Path, config: SeccConfig) -> SeccConfig:
    """Make file names absolute, so that the working directory does not matter."""

    def absolute(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    tls = msgspec.structs.replace(
        config.tls,
        chain=absolute(config.tls.chain),
        key=absolute(config.tls.key),
        root=absolute(config.tls.root),
        identity=[
            msgspec.structs.replace(
                each, chain=str(folder / each.chain), key=str(folder / each.key), root=absolute(each.root)
            )
            for each in config.tls.identity
        ],
    )
    receipts = msgspec.structs.replace(config.receipts, folder=absolute(config.receipts.folder))
    staples = msgspec.structs.replace(config.staples, folder=absolute(config.staples.folder))
    trust = msgspec.structs.replace(
        revocation_settings.anchored(config.trust, folder),
        contract=[str(folder / name) for name in config.trust.contract],
        vehicle=[str(folder / name) for name in config.trust.vehicle],
    )
    mqtt = msgspec.structs.replace(
        config.mqtt,
        ca=absolute(config.mqtt.ca),
        certificate=absolute(config.mqtt.certificate),
        key=absolute(config.mqtt.key),
    )
    kept = capture.anchored(config.capture, folder)
    return msgspec.structs.replace(
        config, tls=tls, staples=staples, trust=trust, mqtt=mqtt, receipts=receipts, capture=kept
    )
