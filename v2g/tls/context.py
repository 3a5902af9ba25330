"""Both sides of TLS as stations and vehicles make them; see `v2g.tls.server` and `v2g.tls.client`."""

from __future__ import annotations

from v2g.tls.client import ClientContext, client_context
from v2g.tls.identity import BadIdentity, Identity
from v2g.tls.restriction import Keylog
from v2g.tls.select import missing
from v2g.tls.server import ServerContext, Staples, server_context
from v2g.tls.suites import Generation

__all__ = [
    "BadIdentity",
    "ClientContext",
    "Generation",
    "Identity",
    "Keylog",
    "ServerContext",
    "Staples",
    "client_context",
    "missing",
    "server_context",
]
