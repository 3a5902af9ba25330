"""Certificates written byte by byte, right or wrong in one point; knows nothing of the code it tests.

`cryptography` makes keys and signatures and nothing else, so that every byte can be chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey
UTF8, PRINTABLE, T61, IA5, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1E
PARTS = {"CN": "2.5.4.3", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "DC": "0.9.2342.19200300.100.1.25"}
EXTENSIONS = {
    "constraints": "2.5.29.19",
    "usage": "2.5.29.15",
    "purposes": "2.5.29.37",
    "own": "2.5.29.14",
    "above": "2.5.29.35",
    "access": "1.3.6.1.5.5.7.1.1",
    "points": "2.5.29.31",
    "alternative": "2.5.29.17",
}
LETTERS = "snedaCLop"
_serials = count(0x4000_0000_0000_0001)


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    content = b""
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return tlv(6, content)


def integer(number: int) -> bytes:
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, signed=True))


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(3, bytes([unused]) + content)


def time(moment: datetime) -> bytes:
    if moment.year < 2050:
        return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def name(*parts: tuple[str, int, str | bytes]) -> bytes:
    return seq(*(tlv(0x31, seq(oid(PARTS.get(kind, kind)), tlv(tag, _text(tag, text)))) for kind, tag, text in parts))


def _text(tag: int, text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-16-be" if tag == BMP else "utf-8")


def extension(kind: str, value: bytes, *, critical: bool | None = None) -> bytes:
    """`critical` None leaves the default out; False writes it, which DER does not allow."""
    flag = b"" if critical is None else tlv(1, b"\xff" if critical else b"\x00")
    return seq(oid(EXTENSIONS.get(kind, kind)), flag, tlv(4, value))


def usage_bits(letters: str) -> bytes:
    places = [LETTERS.index(letter) for letter in letters]
    number = sum(1 << 15 - place for place in places).to_bytes(2)
    content = number if max(places) > 7 else number[:1]
    return bits(content, 7 if len(content) == 2 else 7 - max(places))


def address(url: str) -> bytes:
    return seq(seq(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, url.encode())))


def p256() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def p384() -> Key:
    return ec.generate_private_key(ec.SECP384R1())


def p521() -> Key:
    return ec.generate_private_key(ec.SECP521R1())


def ed() -> Key:
    return ed448.Ed448PrivateKey.generate()


@cache
def rsa2048() -> Key:
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a certificate says; `fields` and `extensions` put raw DER in place of what would follow from the rest."""

    cn: str = "DE8AA0012345670"
    dc: str = "MO"
    usage: str = "snea"
    ca: bool = False
    path_length: int | None = None
    days: tuple[float, float] = (-10, 100)
    key: Callable[[], Key] = p256
    parts: tuple[tuple[str, int, str | bytes], ...] | None = None
    fields: Mapping[str, bytes] = field(default_factory=dict)
    extensions: Mapping[str, bytes] = field(default_factory=dict)
    short_key_id: bool = False

    @property
    def subject(self) -> bytes:
        return name(*(self.parts or named(self.cn, self.dc)))


def named(cn: str, dc: str = "MO") -> tuple[tuple[str, int, str], ...]:
    own = (("CN", UTF8, cn), ("O", UTF8, "Test"), ("C", PRINTABLE, "DE"))
    return (*own, ("DC", IA5, dc)) if dc else own


@dataclass(frozen=True)
class Made:
    der: bytes
    key: Key
    subject: bytes
    key_id: bytes


def make(spec: Spec, issuer: Made | None = None) -> Made:
    """Write and sign a certificate, by `issuer` or by itself."""
    key = spec.key()
    signer = issuer.key if issuer else key
    own = key_id(key)
    own = bytes([0x40 | own[-8] & 0x0F]) + own[-7:] if spec.short_key_id else own
    made = Made(b"", key, spec.fields.get("subject", spec.subject), own)
    tbs = _signed_part(spec, made, issuer or made, root=issuer is None)
    outer = spec.fields.get("outer", algorithm(signer))
    return replace(made, der=seq(tbs, outer, spec.fields.get("signature", bits(sign(signer, tbs)))))


def _signed_part(spec: Spec, made: Made, issuer: Made, *, root: bool) -> bytes:
    begin, end = (NOW + timedelta(days=days) for days in spec.days)
    constraints = seq(
        tlv(1, b"\xff") if spec.ca else b"", b"" if spec.path_length is None else integer(spec.path_length)
    )
    extensions = {
        "constraints": extension("constraints", constraints, critical=True),
        "usage": extension("usage", usage_bits(spec.usage), critical=True),
        "own": extension("own", tlv(4, made.key_id)),
        "above": b"" if root else extension("above", seq(tlv(0x80, issuer.key_id))),
        **spec.extensions,
    }
    fields = {
        "version": tlv(0xA0, integer(2)),
        "serial": integer(next(_serials)),
        "algorithm": algorithm(issuer.key),
        "issuer": issuer.subject,
        "validity": seq(time(begin), time(end)),
        "subject": made.subject,
        "spki": made.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "extensions": tlv(0xA3, seq(*extensions.values())),
    }
    fields |= {key: value for key, value in spec.fields.items() if key in fields}
    return seq(*fields.values())


def algorithm(key: Key) -> bytes:
    if isinstance(key, ed448.Ed448PrivateKey):
        return seq(oid("1.3.101.113"))
    if isinstance(key, rsa.RSAPrivateKey):
        return seq(oid("1.2.840.113549.1.1.11"), tlv(5))
    return seq(oid({256: "1.2.840.10045.4.3.2", 384: "1.2.840.10045.4.3.3", 521: "1.2.840.10045.4.3.4"}[key.key_size]))


def sign(key: Key, data: bytes) -> bytes:
    if isinstance(key, ed448.Ed448PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, PKCS1v15(), hashes.SHA256())
    digest: Any = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}[key.key_size]
    return key.sign(data, ec.ECDSA(digest()))


def key_id(key: Key) -> bytes:
    public = key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        content = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    elif isinstance(public, rsa.RSAPublicKey):
        content = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        content = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha1(content).digest()


ROOT = Spec(cn="MO Root", usage="CL", ca=True, days=(-20, 1000))
SUB1 = replace(ROOT, cn="MO Sub1", path_length=1, days=(-15, 900))
SUB2 = replace(ROOT, cn="MO Sub2", path_length=0, days=(-12, 800))
LEAF = Spec()
STATION = Spec(cn="DE*ABC*E1", dc="CPO", usage="s", days=(-10, 40))
PROVISIONING = Spec(cn="WMI12345678901234", dc="OEM", usage="sa")
STATION_20 = Spec(cn="DEABCS" + "7" * 34, dc="CPO", usage="s", key=p521, days=(-10, 40))
CONTRACT_20 = Spec(
    parts=(("CN", UTF8, "DE8AA0012345670"), ("O", UTF8, "Test")),
    usage="sn",
    key=p521,
    short_key_id=True,
    extensions={"access": extension("access", address("http://ocsp.test/"))},
)


@dataclass(frozen=True)
class Path:
    """A root and what hangs below it."""

    root: Made
    sub1: Made
    sub2: Made
    leaf: Made

    @property
    def chain(self) -> list[bytes]:
        return [self.leaf.der, self.sub2.der, self.sub1.der]


def path(**changes: dict[str, Any]) -> Path:
    """Make a path of contracts in -2 that is right but for the changes, given by tier as fields of `Spec`."""
    specs = {"root": ROOT, "sub1": SUB1, "sub2": SUB2, "leaf": LEAF}
    specs = {tier: replace(spec, **changes.get(tier, {})) for tier, spec in specs.items()}
    root = make(specs["root"])
    sub1 = make(specs["sub1"], root)
    sub2 = make(specs["sub2"], sub1)
    return Path(root, sub1, sub2, make(specs["leaf"], sub2))
