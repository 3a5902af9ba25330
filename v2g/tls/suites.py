"""What each generation of ISO 15118 prescribes for TLS, declared once: version, suites, groups, signature schemes.

Contexts are held to it, ClientHellos are checked against it, and pages of documentation show it. Numbers are IANA's.
The static ECDH suite of ISO 15118-2 is not here: no OpenSSL has it any more. The lists are from public extracts of the
standards (unverified).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

TLS_1_2 = 0x0303
TLS_1_3 = 0x0304


class Generation(StrEnum):
    """The generations of the standard, which share a port and nothing else."""

    ISO2 = "iso2"
    ISO20 = "iso20"


@dataclass(frozen=True, slots=True)
class Code:
    """A number of a TLS registry, its name there, and OpenSSL's name for it."""

    number: int
    name: str
    openssl: str


P256 = Code(23, "secp256r1", "P-256")
P521 = Code(25, "secp521r1", "P-521")
X448 = Code(30, "x448", "X448")
ECDSA_P256 = Code(0x0403, "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256")
ECDSA_P521 = Code(0x0603, "ecdsa_secp521r1_sha512", "ecdsa_secp521r1_sha512")
ED448 = Code(0x0808, "ed448", "ed448")
ECDHE_CBC = Code(0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256")
AES_256_GCM = Code(0x1302, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384")
CHACHA20 = Code(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prescription:
    """What one generation speaks, each list in the order of preference; `mutual`: the vehicle shows a certificate."""

    version: int
    version_name: str
    suites: tuple[Code, ...]
    groups: tuple[Code, ...]
    schemes: tuple[Code, ...]
    mutual: bool


PRESCRIBED = MappingProxyType(
    {
        # Keys and exchange alike are on one curve, by [V2G2-006] and [V2G2-007].
        Generation.ISO2: Prescription(
            version=TLS_1_2,
            version_name="TLS 1.2",
            suites=(ECDHE_CBC,),
            groups=(P256,),
            schemes=(ECDSA_P256,),
            mutual=False,
        ),
        # By [V2G20-1264], [V2G20-2400] and, for the lists, [V2G20-2458], [V2G20-1634], [V2G20-1667].
        Generation.ISO20: Prescription(
            version=TLS_1_3,
            version_name="TLS 1.3",
            suites=(AES_256_GCM, CHACHA20),
            groups=(P521, X448),
            schemes=(ECDSA_P521, ED448),
            mutual=True,
        ),
    }
)


def generation_of(version: int) -> Generation:
    """Tell the generation that a negotiated version belongs to. Raises ValueError for a version that none has."""
    for generation, prescribed in PRESCRIBED.items():
        if prescribed.version == version:
            return generation
    raise ValueError(f"TLS version {version:#06x} belongs to no generation of ISO 15118")


def named(codes: tuple[Code, ...]) -> str:
    """Join OpenSSL's names as its lists want them."""
    return ":".join(code.openssl for code in codes)


def standard_name(openssl: str) -> str:
    """Turn OpenSSL's name of a suite or group into the registry's; one that is not prescribed stays as it is."""
    for prescribed in PRESCRIBED.values():
        for code in (*prescribed.suites, *prescribed.groups):
            if openssl.lower() in (code.openssl.lower(), code.name.lower()):
                return code.name
    return openssl
