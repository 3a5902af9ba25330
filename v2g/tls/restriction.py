"""Holds an OpenSSL context to what the generations prescribe, and to nothing else: no resumption, no renegotiation."""

from __future__ import annotations

from collections.abc import Callable, Collection

from OpenSSL import SSL

from v2g.tls._openssl import Context
from v2g.tls.identity import Identity
from v2g.tls.suites import PRESCRIBED, Code, Generation, named

Keylog = Callable[[bytes], None]
"""Takes one line in the format of SSLKEYLOGFILE: for labs, whoever has it reads the session."""


def newest_first(generations: Collection[Generation]) -> tuple[Generation, ...]:
    """Put generations into the order in which they are offered."""
    return tuple(generation for generation in reversed(Generation) if generation in generations)


def every(generations: Collection[Generation], field: str) -> tuple[Code, ...]:
    """Join one list of several generations, such as `groups`, the newest first."""
    return tuple(code for generation in newest_first(generations) for code in getattr(PRESCRIBED[generation], field))


def restricted(method: int, generations: Collection[Generation], keylog: Keylog | None) -> Context:
    """Make a context that speaks these generations, at least one, and no more."""
    context = Context(method)
    versions = [PRESCRIBED[generation].version for generation in generations]
    context.set_min_proto_version(min(versions))
    context.set_max_proto_version(max(versions))
    if Generation.ISO2 in generations:
        context.set_cipher_list(named(PRESCRIBED[Generation.ISO2].suites).encode())
    if Generation.ISO20 in generations:
        context.set_tls13_ciphersuites(named(PRESCRIBED[Generation.ISO20].suites).encode())
    context.set_groups(named(every(generations, "groups")))
    context.set_signature_schemes(named(every(generations, "schemes")))
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(
        SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.overhear()
    if keylog is not None:
        write = keylog
        context.set_keylog_callback(lambda _, line: write(line))
    return context


def show(context: Context, identity: Identity) -> None:
    """Let a context show an identity; the root is not sent. Raises `SSL.Error` for a key that is not the leaf's."""
    leaf, *authorities = identity.certificates()
    context.use_certificate(leaf)
    for authority in authorities:
        context.add_extra_chain_cert(authority)
    context.use_key(identity.key)
    context.check_privatekey()
