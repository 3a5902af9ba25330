"""What the stations of a process show in TLS and whom they trust, read from the files that secc.toml names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pki import credentials
from pki.relying_party import RelyingParty
from secc import config, identities
from secc.vehicles import Vehicles
from v2g.tls.context import Generation, Identity, Keylog, ServerContext, server_context
from v2g.tls.identity import TokenUri
from v2g.tls.server import Staples
from v2g.toml import place
from v2g.trust import Verify


@dataclass(frozen=True, slots=True)
class Keyring:
    """One reading of the files.

    `tls` is None where only plain TCP is served; `verify` judges contract chains, `vehicles` who comes in -20.
    """

    tls: ServerContext | None
    verify: Verify
    vehicles: Vehicles | None

    @property
    def identities(self) -> tuple[Identity, ...]:
        """What vehicles are shown."""
        return () if self.tls is None else self.tls.identities


def load(
    path: Path, settings: config.SeccConfig, keylog: Keylog | None = None, staple: Staples | None = None
) -> Keyring:
    """Read all files anew. Raises `ConfigurationError`, with its place in secc.toml at `path`, for one of no use."""
    with place(path, "[trust] vehicle"):
        roots = _anchors(settings.trust.vehicle)
    with place(path, "[tls]"):
        tls = server_tls(settings.tls, roots, keylog, staple)
    with place(path, "[trust] contract"):
        anchors = _anchors(settings.trust.contract)
    with place(path, "[trust]"):
        verify = RelyingParty(anchors, settings.trust).verify
        vehicles = Vehicles(roots, settings.trust) if roots else None
    return Keyring(tls, verify, vehicles)


def files(settings: config.SeccConfig) -> list[Path]:
    """List the files that `load` reads; those of revocation are followed by whoever reads them."""
    shown = [name for each in settings.tls.identities for name in (each.chain, each.key, each.root)]
    shown = [name for name in shown if name is None or TokenUri.of(name) is None]
    return [Path(name) for name in (*shown, *settings.trust.contract, *settings.trust.vehicle) if name is not None]


def server_tls(
    settings: config.TlsSettings,
    vehicle_anchors: Sequence[bytes] = (),
    keylog: Keylog | None = None,
    staple: Staples | None = None,
) -> ServerContext | None:
    """Make the station's side; None where no identity is configured. Raises ValueError for what no vehicle accepts.

    `vehicle_anchors` are the roots that vehicles of ISO 15118-20 are told to show a certificate of, `staple` gives what
    goes with the station's own.
    """
    loaded = identities.load(settings)
    if not loaded:
        return None
    if not vehicle_anchors and any(each.generation is Generation.ISO20 for each in loaded):
        raise ValueError(
            "an identity is of ISO 15118-20, where vehicles show a certificate: name the roots they may hang on "
            "by `vehicle` in [trust]"
        )
    return server_context(
        *loaded, client_anchors=vehicle_anchors, staple=staple, keylog=keylog, backend=settings.backend
    )


def _anchors(names: Sequence[str]) -> list[bytes]:
    return [der for name in names for der in credentials.load_anchors(name)]
