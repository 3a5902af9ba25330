"""What the standards want of TLS and the libraries below cannot do: told to people, by `secc check` and in the docs.

Found by trying, with OpenSSL 4.0 as pyOpenSSL brings it and GnuTLS 3.7. The requirements are from public extracts of
the standards (unverified).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from v2g.tls.suites import Generation


class Backend(StrEnum):
    """The library that does TLS."""

    OPENSSL = "openssl"
    GNUTLS = "gnutls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One thing that cannot be done with some backends: what, what follows for whom, and the requirement it is of."""

    key: str
    generation: Generation
    backends: frozenset[Backend]
    station: bool
    """Whether it is the station that cannot; otherwise it is the vehicle."""
    text: str
    requirements: tuple[str, ...] = ()


_EVERY = frozenset(Backend)
_OPENSSL = frozenset({Backend.OPENSSL})

LIMITS = (
    Limit(
        key="static-ecdh",
        generation=Generation.ISO2,
        backends=_EVERY,
        station=True,
        text="TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256 is not spoken: a vehicle that offers no other suite is refused",
    ),
    Limit(
        key="status_request_v2",
        generation=Generation.ISO2,
        backends=_EVERY,
        station=True,
        text="OCSP responses for all certificates (RFC 6961) are neither sent nor asked for: the leaf's alone is, to "
        "vehicles that ask for it by status_request (RFC 6066); one that insists on the others leaves",
        requirements=("V2G2-871", "V2G2-873"),
    ),
    Limit(
        key="staple-per-certificate",
        generation=Generation.ISO20,
        backends=_OPENSSL,
        station=True,
        text="the OCSP response of the leaf alone is stapled, not those of the Sub-CAs: a vehicle that insists on them "
        "leaves; more than one that a station sends are read",
        requirements=("V2G20-2388", "V2G20-2391"),
    ),
    Limit(
        key="certificate_authorities",
        generation=Generation.ISO20,
        backends=_OPENSSL,
        station=False,
        text="a vehicle of ours does not name its roots in the ClientHello: a station with several chains cannot "
        "choose by them; our station does obey those that other vehicles name",
        requirements=("V2G20-1006",),
    ),
    Limit(
        key="session-tickets",
        generation=Generation.ISO20,
        backends=_OPENSSL,
        station=True,
        text="two session tickets follow each handshake, which nobody asked for and which are never taken back",
    ),
)


def limits(backend: Backend, generation: Generation, *, station: bool) -> tuple[Limit, ...]:
    """Return what a backend cannot do in one generation, on one side."""
    return tuple(
        each
        for each in LIMITS
        if backend in each.backends and each.generation is generation and each.station is station
    )
