"""The certificates a station shows in TLS, read from the files its configuration names."""

from __future__ import annotations

from pathlib import Path

from pki import credentials
from secc.config import TlsIdentity, TlsSettings
from v2g.tls.identity import BadIdentity, Identity, TokenUri, in_secure_element


def load(settings: TlsSettings) -> list[Identity]:
    """Read and check all identities, in the order in which they stand. Raises ValueError naming the file."""
    return [_load(each) for each in settings.identities]


def _load(settings: TlsIdentity) -> Identity:
    chain, key = credentials.load_chain(settings.chain), Path(settings.key)
    root = None if settings.root is None else credentials.load_root(settings.root, chain)
    if root is not None and len(chain) == 1:
        chain = [*chain, root]  # a private operator's, who signs leaves himself [V2G2-868]: it is sent [V2G2-872]
    try:
        if uri := TokenUri.of(settings.key):
            identity = Identity.of(chain, uri, root)
        elif in_secure_element(key):
            identity = Identity.of(chain, key, root)
        else:
            credential = credentials.load_credential(settings.chain, key, settings.password)
            identity = Identity.of(chain, credential.key, root)
        identity.check()
    except BadIdentity as error:
        raise BadIdentity(f"{settings.chain}: {error}") from error
    return identity
