"""Serial numbers, versions, sizes and bytes: what a certificate is made of, whatever it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cryptography import x509

from pki.faults import der
from pki.faults.draft import Draft
from pki.faults.fault import FIRST, LEAF, SECOND, Fault
from pki.faults.making import Making
from pki.profiles import Tier
from v2g.trust import Role, Rule

_SERIAL = ("RFC 5280 4.1.2.2",)
_DER = ("V2G2-885", "RFC 5280 4.1")
_VERSION_4 = 3
Change = Callable[[Draft, Making], Draft]


def _number(serial: int) -> Change:
    return lambda draft, _: replace(draft, serial=serial)


def _same_number(draft: Draft, making: Making) -> Draft:
    return replace(draft, serial=making.path.certificate(Tier.LEAF).serial_number)


def _version_1(draft: Draft, _making: Making) -> Draft:
    return replace(draft, version=None, extensions=())


def _unused_bit(data: bytes) -> bytes:
    """Say that the last bit of the signature does not count: the same certificate in another encoding."""
    parsed = x509.load_der_x509_certificate(data)
    signed, last = parsed.tbs_certificate_bytes, der.bits(parsed.signature)
    start = data.index(signed) + len(signed)
    return der.sequence(signed, data[start : -len(last)], der.bits(parsed.signature, 1))


def _long_length(data: bytes) -> bytes:
    """Write the outermost length in one byte more than it takes, which is BER and no DER."""
    length = data[1] & 0x7F
    return bytes([data[0], 0x80 | length + 1, 0]) + data[2:]


FAULTS = (
    Fault(
        name="duplicate-serial",
        reason="its serial number is that of another certificate of its issuer, which whoever trusts cannot know",
        requirement=_SERIAL,
        rule=None,
        tiers=LEAF,
        draft=_same_number,
    ),
    Fault(
        name="negative-serial",
        reason="its serial number is negative",
        requirement=_SERIAL,
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=_number(-15_118),
    ),
    Fault(
        name="zero-serial",
        reason="its serial number is 0",
        requirement=_SERIAL,
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=_number(0),
    ),
    Fault(
        name="21-octet-serial",
        reason="its serial number has 21 octets",
        requirement=_SERIAL,
        rule=Rule.PROFILE,
        tiers=LEAF,
        draft=_number(1 << 160),
    ),
    Fault(
        name="v1",
        reason="it is of version 1, without extensions",
        requirement=("V2G2-884",),
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF, Tier.SUB2),
        draft=_version_1,
    ),
    Fault(
        name="v4",
        reason="it is of a version that does not exist",
        requirement=("V2G2-884",),
        rule=Rule.PARSE,
        tiers=LEAF,
        draft=lambda draft, _: replace(draft, version=_VERSION_4),
    ),
    Fault(
        name="800-bytes",
        reason="it has 800 bytes, as many as it may",
        requirement=("V2G2-010",),
        rule=None,
        tiers=LEAF,
        editions=FIRST,
        size=800,
    ),
    Fault(
        name="801-bytes",
        reason="it has 801 bytes, one more than it may",
        requirement=("V2G2-010",),
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF, Tier.SUB2),
        editions=FIRST,
        size=801,
    ),
    Fault(
        name="1600-bytes",
        reason="it has 1600 bytes, as many as it may",
        requirement=("schema of ISO 15118-20",),
        rule=None,
        tiers=LEAF,
        editions=SECOND,
        size=1600,
    ),
    Fault(
        name="1601-bytes",
        reason="it has 1601 bytes, one more than it may",
        requirement=("schema of ISO 15118-20",),
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF, Tier.SUB2),
        editions=SECOND,
        size=1601,
    ),
    Fault(
        name="trailing-bytes",
        reason="two bytes follow it",
        requirement=_DER,
        rule=Rule.PARSE,
        tiers=(Tier.LEAF, Tier.SUB2),
        der=lambda data: data + b"\x05\x00",
    ),
    Fault(
        name="truncated",
        reason="its second half is missing",
        requirement=_DER,
        rule=Rule.PARSE,
        tiers=LEAF,
        der=lambda data: data[: len(data) // 2],
    ),
    Fault(
        name="long-length",
        reason="its length is written in more bytes than it takes, which is no DER",
        requirement=_DER,
        rule=Rule.PARSE,
        tiers=LEAF,
        # In TLS it is nobody's to see: OpenSSL takes it and hands it on in DER.
        roles=(Role.CONTRACT, Role.OEM_PROVISIONING, Role.CPS),
        der=_long_length,
    ),
    Fault(
        name="unused-signature-bit",
        reason="the last bit of its signature is said not to count, which is the same certificate in other bytes",
        requirement=_DER,
        rule=Rule.PARSE,
        tiers=LEAF,
        der=_unused_bit,
    ),
)
