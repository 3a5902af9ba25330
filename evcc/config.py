"""evcc.toml: the vehicle that is emulated, and what it is to do. Errors name file, key and remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import msgspec.inspect
from msgspec import Meta

from pki import revocation_settings
from pki.revocation_settings import RevocationSettings
from v2g import capture, identifiers
from v2g.capture import CaptureSettings
from v2g.record import Record
from v2g.timing import REQUESTS
from v2g.tls.limits import Backend

Port = Annotated[int, Meta(ge=0, le=65_535)]
Positive = Annotated[float, Meta(gt=0, le=20_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=1e6)]
Percent = Annotated[float, Meta(ge=0, le=100)]

HIDDEN = "***"
HIGHEST_PORT = 65_535
ADDRESS = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^\[\]:]+)):(?P<port>[0-9]{1,5})")
NO_MEMBER = re.compile(r"Invalid enum value .* - at `\$\.(?P<path>[\w.]+)`", re.DOTALL)


class ConfigurationError(ValueError):
    """A configuration that cannot be used; the text names file, key and remedy."""


class Network(Record, forbid_unknown_fields=True):
    """Where the station is: found by SDP on an interface, or told by `connect = "[HOST]:PORT"`."""

    interface: str = "eth0"
    sdp_port: Port = 15118
    connect: str | None = None
    security: Literal["tls", "none"] = "tls"
    accept_plain: bool = False
    """Go on without TLS when the station answers that it has none [V2G2-628]; see also `Plan.accept_external`."""


class Tls(Record, forbid_unknown_fields=True):
    """`roots` are the PEM files of the V2G roots that the station's certificate must hang on.

    `private` are those of private operators, whose roots sign their stations' certificates themselves [V2G2-868].
    """

    roots: list[str] = []
    private: list[str] = []
    generations: Annotated[tuple[Literal["iso2", "iso20"], ...], Meta(min_length=1)] = ("iso2",)
    """What the ClientHello offers: TLS 1.2 as in ISO 15118-2, TLS 1.3 with a vehicle certificate as in -20, or both.

    What is not offered here is not accepted either, whatever SDP or a station says.
    """
    staple: Literal["require", "if-present", "fetch", "off"] = "if-present"
    """Whether the station has to prove by an OCSP response in TLS that its certificate is not revoked.

    The standards demand it under a V2G root ([V2G2-873], [V2G20-2388]), hence `require`. But no station in the field is
    known to do it, so what comes is judged, and its absence borne. `fetch`: where no good one comes, its responder is
    asked, as `[trust] fetch` allows.
    """
    backend: Backend = Backend.OPENSSL
    """The library that speaks ISO 15118-20, offered alone if it is GnuTLS; ISO 15118-2 is OpenSSL's."""
    handshake_s: Annotated[float, Meta(gt=0, le=60)] = 10.0


class Owned(Record):
    """PEM chain (leaf first, without the root) and key; shown without the key's password."""

    chain: str
    key: str
    password: str | None = None

    def __repr__(self) -> str:
        """For logs and tracebacks, which are no place for a password."""
        hidden = HIDDEN if self.password is not None else None
        shown = {name: getattr(self, name) for name in self.__struct_fields__} | {"password": hidden}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


class VehicleCertificate(Owned, forbid_unknown_fields=True):
    """What the car shows in TLS of ISO 15118-20: its vehicle certificate, which is not the one of provisioning."""


class Contract(Owned, forbid_unknown_fields=True):
    """A contract; the EMAID is the leaf's common name."""


class Provisioning(Owned, forbid_unknown_fields=True):
    """How the car gets contracts by itself: with the PEM chain and key its maker gave it, into the folder `wallet`.

    `roots` are PEM files of MO roots; with any of them, a contract has to hang on one. `expiring` installs what is
    missing, too.
    """

    wallet: str
    when: Literal["missing", "expiring", "always", "never"] = "missing"
    renew_within_days: Annotated[float, Meta(ge=0, le=100_000)] = 21.0
    roots: list[str] = []


class Battery(Record, forbid_unknown_fields=True):
    """The traction battery; its voltage rises with the state of charge from `empty_v` to `full_v`."""

    capacity_wh: Positive = 60_000.0
    soc_percent: Percent = 40.0
    empty_v: Positive = 350.0
    full_v: Positive = 400.0
    max_voltage_v: Positive = 420.0
    max_current_a: Positive = 125.0
    max_power_w: Positive = 50_000.0


class Onboard(Record, forbid_unknown_fields=True):
    """The onboard AC charger, per phase."""

    max_current_a: Positive = 16.0
    min_current_a: Positive = 6.0
    max_voltage_v: Positive = 400.0


class WantedService(Record, forbid_unknown_fields=True):
    """A service besides charging, found by what is said of it, and the first of its parameter sets that fits."""

    id: Annotated[int, Meta(ge=2, le=65_535)] | None = None
    name: str | None = None
    category: Literal["Internet", "OtherCustom"] | None = None
    parameter_set: Annotated[int, Meta(ge=-32_768, le=32_767)] | None = None
    parameters: dict[str, bool | int | float | str] = {}

    @property
    def choosy(self) -> bool:
        """Whether not any parameter set will do, nor none."""
        return self.parameter_set is not None or bool(self.parameters)


class Plan(Record, forbid_unknown_fields=True):
    """What this charge is to be: protocols, mode, payment, and what ends it, whichever comes first.

    `protocols` are offered in this order; `din` has no TLS and is offered only without.
    """

    protocols: Annotated[tuple[Literal["iso2", "din"], ...], Meta(min_length=1)] = ("iso2",)
    energy: Literal["ac1", "ac3", "dc"] = "ac3"
    payment: Literal["contract", "external"] = "contract"
    accept_external: bool = False
    """Let somebody else identify the driver where the contract planned cannot be used: none is taken, or no TLS."""
    charge_s: Seconds | None = None
    energy_wh: Positive | None = None
    target_soc_percent: Percent = 80.0
    departure_s: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    loop_s: Annotated[float, Meta(ge=0, le=60)] = 0.1
    poll_s: Annotated[float, Meta(ge=0, le=60)] = 0.05
    dc_mode: Literal["DC_core", "DC_extended", "DC_combo_core", "DC_unique"] = "DC_extended"
    services: tuple[WantedService, ...] = ()
    service_category: Literal["EVCharging", "Internet", "ContractCertificate", "OtherCustom"] | None = None
    """Ask for services of this category alone, and of `service_scope`."""
    service_scope: Annotated[str, Meta(max_length=64)] | None = None
    schedule: Literal["first", "cheapest"] | Annotated[int, Meta(ge=1, le=255)] = "first"
    """Which of the schedules offered to take: by its tariff, or the one with this id."""
    max_schedule_entries: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    renegotiate_after_s: Seconds | None = None
    """Ask once for new schedules, after so much energy flow."""
    pause_after_s: Seconds | None = None
    """Pause once, after so much energy flow."""
    pause_s: Seconds | None = None
    """Sleep so long in a pause, then go on; left out, the process ends with the pause."""
    pause_file: str | None = None
    """Keep a paused session here, for a later run with `resume = true`."""
    resume: bool = False
    welding_detection: bool = True
    """Whether to have the output's voltage told before leaving, in DC."""
    when_stopped: Literal["terminate", "pause"] = "terminate"
    """What to do once the station has stopped the charge, or has no energy: leave, or pause as above."""


class Cable(Record, forbid_unknown_fields=True):
    """The broker over which the simulated charger hears what the plug would tell it (`cable/…`)."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1883
    prefix: Annotated[str, Meta(pattern=r"^[^+#]+$")] = "plugcharge/v1"
    evse: Annotated[str, Meta(pattern=r"^[^/+#]+$")] = "1"


class EvccConfig(Record, forbid_unknown_fields=True):
    """The whole of evcc.toml. `timeouts` replaces message timeouts by name, in seconds, for slow peers."""

    evcc_id: str = "02:00:00:00:00:01"
    network: Network = Network()
    tls: Tls = Tls()
    trust: RevocationSettings = RevocationSettings()
    vehicle: VehicleCertificate | None = None
    contract: Contract | None = None
    provisioning: Provisioning | None = None
    battery: Battery = Battery()
    onboard: Onboard = Onboard()
    plan: Plan = Plan()
    cable: Cable | None = None
    timeouts: dict[str, Positive] = {}
    capture: CaptureSettings = CaptureSettings()


def load(path: Path) -> EvccConfig:
    """Read evcc.toml; relative file names in it are relative to its folder. Raises `ConfigurationError`."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file; docs/evcc.md shows one to start from") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    try:
        config = msgspec.convert(raw, EvccConfig)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {error}{_allowed(str(error))}") from error
    return _anchored(path.parent, _checked(path, config))


def address(text: str) -> tuple[str, int]:
    """Split [HOST]:PORT; only names and IPv4 addresses go without brackets. Raises ValueError with the remedy."""
    found = ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= HIGHEST_PORT:
        raise ValueError(f"{text!r}: write [HOST]:PORT with a port up to {HIGHEST_PORT}, for instance [::1]:15119")
    return found["bracketed"] or found["plain"], int(found["port"])


def _allowed(error: str) -> str:
    """Tell the values that the key named by msgspec's error may have; empty where it was no enumeration."""
    found = NO_MEMBER.fullmatch(error)
    if found is None:
        return ""
    kind: msgspec.inspect.Type = msgspec.inspect.type_info(EvccConfig)
    for key in found["path"].split("."):
        members = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
        tables = [each for each in members if isinstance(each, msgspec.inspect.StructType)]
        kind = next(field.type for table in tables for field in table.fields if field.encode_name == key)
    if not isinstance(kind, msgspec.inspect.LiteralType):
        return ""
    return f"; write one of {', '.join(repr(value) for value in kind.values)}"


def _checked(path: Path, config: EvccConfig) -> EvccConfig:
    try:
        identifiers.evcc_id(config.evcc_id)
    except ValueError as error:
        raise ConfigurationError(f"{path}: evcc_id: {error}") from error
    if config.network.connect is not None:
        try:
            address(config.network.connect)
        except ValueError as error:
            raise ConfigurationError(f"{path}: [network] connect = {error}") from error
    for name in config.timeouts:
        if name not in REQUESTS:
            raise ConfigurationError(f"{path}: [timeouts] {name}: no such request; there are {', '.join(REQUESTS)}")
    if config.network.security == "tls" and not config.tls.roots and not config.tls.private:
        raise ConfigurationError(
            f"{path}: [tls] roots is missing: name the PEM file of the V2G roots, "
            "or of a private operator's root by `private`, "
            'or set `security = "none"` in [network] to speak plain TCP'
        )
    if config.tls.staple == "fetch" and not config.trust.fetch:
        raise ConfigurationError(
            f'{path}: [tls] staple = "fetch" asks nobody: name the hosts of responders in `fetch` of [trust], '
            'or set "if-present"'
        )
    if config.plan.payment == "contract" and config.contract is None and config.provisioning is None:
        raise ConfigurationError(
            f"{path}: [contract] is missing: name its chain and key, or have one installed by [provisioning], "
            'or set `payment = "external"` in [plan]'
        )
    if config.plan.payment == "contract" and config.network.security == "none":
        raise ConfigurationError(
            f'{path}: a contract needs TLS [V2G2-635]: set `security = "tls"` in [network], '
            'or `payment = "external"` in [plan]'
        )
    _check_generations(path, config)
    _check_protocols(path, config)
    _check_pauses(path, config.plan)
    return config


def _check_generations(path: Path, config: EvccConfig) -> None:
    """Refuse generations that cannot be offered, and plain TCP for a car that is to speak -20 alone."""
    generations, network = config.tls.generations, config.network
    if len(set(generations)) != len(generations):
        raise ConfigurationError(f"{path}: [tls] generations: each may stand once")
    if generations == ("iso20",) and network.security == "none":
        raise ConfigurationError(
            f'{path}: [network] security: ISO 15118-20 is spoken in TLS 1.3 alone [V2G20-2356]; set "tls", '
            'or add "iso2" to `generations` in [tls]'
        )
    if "iso20" not in generations or network.security == "none":
        return
    if config.vehicle is None:
        raise ConfigurationError(
            f"{path}: [vehicle] is missing: ISO 15118-20 wants a vehicle certificate; name its chain and key, "
            'or set `generations = ["iso2"]` in [tls]'
        )
    if generations == ("iso20",) and network.accept_plain:
        raise ConfigurationError(
            f"{path}: [network] accept_plain: ISO 15118-20 is spoken in TLS 1.3 alone [V2G20-2356]; leave it out, "
            'or add "iso2" to `generations` in [tls]'
        )


def _check_pauses(path: Path, plan: Plan) -> None:
    """Refuse pauses that would not end, and services that nothing is said of."""
    pauses = plan.pause_after_s is not None or plan.when_stopped == "pause"
    if pauses and plan.pause_s is None and plan.pause_file is None:
        raise ConfigurationError(
            f"{path}: [plan] a pause has no end: say how long by `pause_s`, or name a `pause_file` for a later run"
        )
    if plan.resume and plan.pause_file is None:
        raise ConfigurationError(f"{path}: [plan] resume: name the `pause_file` of the session that was paused")
    for wanted in plan.services:
        if wanted.id is None and wanted.name is None and wanted.category is None:
            raise ConfigurationError(f"{path}: [[plan.services]] names no service: give its id, name or category")


def _check_protocols(path: Path, config: EvccConfig) -> None:
    """Refuse a plan that a protocol cannot fulfil."""
    plan, network = config.plan, config.network
    where = f"{path}: [plan] protocols"
    if len(set(plan.protocols)) != len(plan.protocols):
        raise ConfigurationError(f"{where}: each may stand once")
    if "din" not in plan.protocols:
        return
    if plan.energy != "dc":
        raise ConfigurationError(f'{where}: DIN 70121 is for DC alone: set `energy = "dc"`, or leave "din" out')
    if plan.payment == "contract" and not plan.accept_external:
        raise ConfigurationError(
            f'{where}: DIN 70121 knows no contract: set `payment = "external"` or `accept_external = true`, '
            'or leave "din" out'
        )
    if plan.protocols == ("din",) and (plan.pause_after_s, plan.renegotiate_after_s) != (None, None):
        raise ConfigurationError(
            f"{where}: DIN 70121 knows neither pause nor renegotiation: leave out `pause_after_s` and "
            "`renegotiate_after_s`"
        )
    if plan.protocols == ("din",) and network.security == "tls" and not network.accept_plain:
        raise ConfigurationError(
            f'{where}: DIN 70121 knows no TLS: set `security = "none"` or `accept_plain = true` in [network], '
            'or add "iso2"'
        )


def _anchored(folder: Path, config: EvccConfig) -> EvccConfig:
    """Make file names absolute, so that the working directory does not matter."""
    anchors = {kind: [str(folder / name) for name in getattr(config.tls, kind)] for kind in ("roots", "private")}
    tls = msgspec.structs.replace(config.tls, **anchors)
    plan = config.plan
    if plan.pause_file is not None:
        plan = msgspec.structs.replace(plan, pause_file=str(folder / plan.pause_file))
    vehicle = config.vehicle
    if vehicle is not None:
        vehicle = msgspec.structs.replace(vehicle, chain=str(folder / vehicle.chain), key=str(folder / vehicle.key))
    contract = config.contract
    if contract is not None:
        contract = msgspec.structs.replace(contract, chain=str(folder / contract.chain), key=str(folder / contract.key))
    provisioning = config.provisioning
    if provisioning is not None:
        files = {name: str(folder / getattr(provisioning, name)) for name in ("chain", "key", "wallet")}
        roots = [str(folder / name) for name in provisioning.roots]
        provisioning = msgspec.structs.replace(provisioning, **files, roots=roots)
    trust = revocation_settings.anchored(config.trust, folder)
    return msgspec.structs.replace(
        config,
        tls=tls,
        trust=trust,
        vehicle=vehicle,
        contract=contract,
        provisioning=provisioning,
        plan=plan,
        capture=capture.anchored(config.capture, folder),
    )
