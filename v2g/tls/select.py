"""Which of a station's identities a vehicle is shown, by what its ClientHello says; no I/O, no state.

A vehicle that offers TLS 1.3 is of the second generation, where the station has an identity for that. Within a
generation the roots that the vehicle names decide: by `trusted_ca_keys` in -2 [V2G2-651], by
`certificate_authorities` in -20 [V2G20-1007], never the one in place of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from v2g.tls.client_hello import ClientHello, Identifier, TrustedAuthority
from v2g.tls.identity import Identity
from v2g.tls.suites import PRESCRIBED, TLS_1_2, TLS_1_3, Generation


@dataclass(frozen=True, slots=True)
class Selection:
    """The identity shown, by its position, and why.

    `matched` is False when the vehicle named roots and no identity hangs on any of them. `by` is the extension that
    decided, or "default" where none did.
    """

    index: int
    generation: Generation
    matched: bool
    by: str


def select(hello: ClientHello, identities: Sequence[Identity]) -> Selection:
    """Choose among identities, at least one; without a match the first that the vehicle can verify at all."""
    generation = _generation(hello, {identity.generation for identity in identities})
    pool = [place for place, identity in enumerate(identities) if identity.generation is generation]
    if generation is Generation.ISO2:
        return _by_roots(identities, pool, generation, _trusted_ca_keys(hello), "trusted_ca_keys")
    fitting = [place for place in pool if identities[place].scheme.number in hello.signature_schemes]
    named = frozenset(TrustedAuthority(Identifier.X509_NAME, name) for name in hello.certificate_authorities)
    selection = _by_roots(identities, fitting or pool, generation, named, "certificate_authorities")
    if selection.by == "default" and 0 < len(fitting) < len(pool):
        return Selection(selection.index, generation, selection.matched, "signature_algorithms")
    return selection


def missing(hello: ClientHello, generation: Generation = Generation.ISO2) -> str:
    """Name what a generation needs and the client does not offer, with commas; empty when nothing is missing."""
    prescribed = PRESCRIBED[generation]
    lacking = [] if prescribed.version in hello.versions else [prescribed.version_name]
    for codes, offered in (
        (prescribed.suites, hello.suites),
        (prescribed.groups, hello.groups),
        (prescribed.schemes, hello.signature_schemes),
    ):
        if not any(code.number in offered for code in codes):
            lacking.append(" or ".join(code.name for code in codes))
    return ", ".join(lacking)


def _generation(hello: ClientHello, configured: set[Generation]) -> Generation:
    """Choose the generation; TLS 1.3 without what -20 needs is how vehicles of -2 sound whose library knows it."""
    if len(configured) == 1:
        return next(iter(configured))
    second = TLS_1_3 in hello.versions and (TLS_1_2 not in hello.versions or not missing(hello, Generation.ISO20))
    return Generation.ISO20 if second else Generation.ISO2


def _trusted_ca_keys(hello: ClientHello) -> frozenset[TrustedAuthority]:
    return frozenset(entry for entry in hello.trusted_ca_keys if entry.identifier is not Identifier.PRE_AGREED)


def _by_roots(
    identities: Sequence[Identity],
    pool: Sequence[int],
    generation: Generation,
    named: frozenset[TrustedAuthority],
    by: str,
) -> Selection:
    for place in pool:
        if named & identities[place].authorities():
            return Selection(place, generation, matched=True, by=by)
    return Selection(pool[0], generation, matched=not named, by="default")
