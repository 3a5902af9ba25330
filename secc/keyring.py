"""What the stations of a process show in TLS and whom they trust, read from the files that secc.toml names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pki import credentials
from pki.relying_party import RelyingParty
from secc import config
from v2g.tls.context import BadIdentity, Identity, Keylog, ServerContext, server_context
from v2g.toml import place
from v2g.trust import Verify


@dataclass(frozen=True, slots=True)
class Keyring:
    """One reading of the files. `tls` is None where only plain TCP is served; `verify` judges contract chains."""

    tls: ServerContext | None
    verify: Verify


def load(path: Path, settings: config.SeccConfig, keylog: Keylog | None = None) -> Keyring:
    """Read all files anew. Raises `ConfigurationError`, with its place in secc.toml at `path`, for one of no use."""
    with place(path, "[tls]"):
        tls = server_tls(settings.tls, keylog)
    with place(path, "[trust] contract"):
        anchors = _anchors(settings.trust.contract)
    with place(path, "[trust]"):
        verify = RelyingParty(anchors, settings.trust).verify
    return Keyring(tls, verify)


def files(settings: config.SeccConfig) -> list[Path]:
    """List the files that `load` reads; those of revocation are followed by whoever reads them."""
    tls = settings.tls
    return [Path(name) for name in (tls.chain, tls.key, tls.root, *settings.trust.contract) if name is not None]


def server_tls(settings: config.TlsSettings, keylog: Keylog | None = None) -> ServerContext | None:
    """Load the SECC certificate; None where none is configured. Raises ValueError for one that no vehicle accepts."""
    if settings.chain is None or settings.key is None:
        return None
    credential = credentials.load_credential(settings.chain, settings.key, settings.password)
    root = None if settings.root is None else credentials.load_root(settings.root, credential.chain)
    try:
        return server_context(Identity.of(credential.chain, credential.key, root), keylog=keylog)
    except BadIdentity as error:
        raise BadIdentity(f"{settings.chain}: {error}") from error


def _anchors(names: Sequence[str]) -> list[bytes]:
    return [der for name in names for der in credentials.load_anchors(name)]
