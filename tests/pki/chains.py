"""Certificate chains made by hand, right or wrong in one point; knows nothing of the code it tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LETTERS = {
    "s": "digital_signature",
    "n": "content_commitment",
    "e": "key_encipherment",
    "d": "data_encipherment",
    "a": "key_agreement",
    "C": "key_cert_sign",
    "L": "crl_sign",
    "o": "encipher_only",
    "p": "decipher_only",
}
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed448.Ed448PrivateKey


def p256() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def p521() -> Key:
    return ec.generate_private_key(ec.SECP521R1())


def p384() -> Key:
    return ec.generate_private_key(ec.SECP384R1())


@cache
def rsa2048() -> Key:
    return rsa.generate_private_key(65537, 2048)


def ed() -> Key:
    return ed448.Ed448PrivateKey.generate()


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a certificate says; `days` are first and last day of validity, counted from NOW."""

    cn: tuple[str, ...]
    dc: tuple[str, ...]
    usage: str | None
    ca: bool | None
    path_length: int | None = None
    usage_critical: bool = True
    constraints_critical: bool = True
    days: tuple[float, float] = (-10, 100)
    organization: str = "Test"
    country: str | None = None
    key: Callable[[], Key] = p256
    digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()


@dataclass(frozen=True)
class Made:
    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def branch(dc: str, leaf_dc: str, leaf_usage: str, leaf_cn: str, root_dc: str) -> dict[str, Spec]:
    return {
        "root": Spec(cn=("Root",), dc=(root_dc,), usage="CL", ca=True),
        "sub1": Spec(cn=("Sub1",), dc=(dc,), usage="CL", ca=True, path_length=1),
        "sub2": Spec(cn=("Sub2",), dc=(dc,), usage="CL", ca=True, path_length=0),
        "leaf": Spec(cn=(leaf_cn,), dc=(leaf_dc,), usage=leaf_usage, ca=False),
    }


GOOD = {
    "secc": branch("V2G", "CPO", "s", "DE*ABC*E1", "V2G"),
    "contract": branch("MO", "MO", "sn", "DE8AA0012345670", "MO"),
    "oem-provisioning": branch("OEM", "OEM", "sa", "WMI12345678901234", "OEM"),
    "cps": branch("CPS", "CPS", "s", "CPS", "V2G"),
}
RESPONDER = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://o.test/"))
AIA = x509.AuthorityInformationAccess([RESPONDER])


def purposes(*purposes: x509.ObjectIdentifier, critical: bool = False) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage(purposes), critical


def second(key: Callable[[], Key]) -> dict[str, dict[str, Spec]]:
    """The roles of -20: contracts and vehicles have CN and O alone, and the vehicle an identity of its own."""
    roles = GOOD | {"vehicle": branch("OEM", "", "s", "WMIV1234567890ABCDEX", "OEM")}
    more: dict[str, dict[str, Any]] = {
        "secc": {"extensions": (purposes(ExtendedKeyUsageOID.SERVER_AUTH),)},
        "contract": {"dc": (), "usage": "s", "extensions": ((AIA, False),)},
        "vehicle": {"dc": (), "extensions": (purposes(ExtendedKeyUsageOID.CLIENT_AUTH),)},
    }
    return {
        role: {
            tier: replace(spec, key=key, digest=hashes.SHA512(), **(more.get(role, {}) if tier == "leaf" else {}))
            for tier, spec in specs.items()
        }
        for role, specs in roles.items()
    }


EDITIONS = {
    "iso2": GOOD,
    "iso20": second(p521),
    "iso20-ed448": second(ed),
    "josev": GOOD | {"vehicle": branch("OEM", "OEM", "sa", "OEMProvCert", "OEM")},
}


def cross(subject: Made, issuer: Made, **changes: Any) -> Made:
    """Certify the name and the key of a root once more, by another one."""
    names = subject.certificate.subject
    spec = Spec(
        cn=tuple(str(part.value) for part in names.get_attributes_for_oid(NameOID.COMMON_NAME)),
        dc=tuple(str(part.value) for part in names.get_attributes_for_oid(NameOID.DOMAIN_COMPONENT)),
        usage="CL",
        ca=True,
        key=lambda: subject.key,
        digest=hashes.SHA256()
        if isinstance(subject.key, ec.EllipticCurvePrivateKey) and subject.key.key_size == 256
        else hashes.SHA512(),
    )
    return make(replace(spec, **changes), issuer)


def make(spec: Spec, issuer: Made | None = None) -> Made:
    """Sign a certificate as `spec` says, by `issuer` or by itself."""
    key = spec.key()
    name = x509.Name(
        [
            *(x509.NameAttribute(NameOID.COMMON_NAME, cn) for cn in spec.cn),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, spec.organization),
            *([x509.NameAttribute(NameOID.COUNTRY_NAME, spec.country)] if spec.country else []),
            *(x509.NameAttribute(NameOID.DOMAIN_COMPONENT, dc) for dc in spec.dc),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .not_valid_before(NOW + timedelta(days=spec.days[0]))
        .not_valid_after(NOW + timedelta(days=spec.days[1]))
    )
    if spec.ca is not None:
        constraints = x509.BasicConstraints(ca=spec.ca, path_length=spec.path_length)
        builder = builder.add_extension(constraints, critical=spec.constraints_critical)
    if spec.usage is not None:
        bits: dict[str, Any] = {name: letter in spec.usage for letter, name in LETTERS.items()}
        builder = builder.add_extension(x509.KeyUsage(**bits), critical=spec.usage_critical)
    for extension, critical in spec.extensions:
        builder = builder.add_extension(extension, critical=critical)
    signer: Any = issuer.key if issuer else key
    digest = None if isinstance(signer, ed448.Ed448PrivateKey) else spec.digest
    return Made(builder.sign(signer, cast("Any", digest)), key)


def ders(*made: Made) -> list[bytes]:
    return [each.der for each in made]


def point(made: Made) -> bytes:
    """Return the public key of a certificate as 04|X|Y."""
    return made.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def resigned(made: Made, issuer: Made, old: bytes, new: bytes) -> bytes:
    """Return the DER of a certificate with bytes of its signed part exchanged for as many others, signed anew."""
    tbs = made.certificate.tbs_certificate_bytes
    assert tbs.count(old) == 1
    assert len(old) == len(new)
    tbs = tbs.replace(old, new)
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    signature = b"\x00" + issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return sequence(tbs + ECDSA_SHA256 + b"\x03" + bytes([len(signature)]) + signature)


def sequence(content: bytes) -> bytes:
    """Wrap DER of 256 to 65535 bytes in a SEQUENCE."""
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


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

    @property
    def anchors(self) -> list[bytes]:
        return [self.root.der]


def build(role: str = "secc", edition: str = "iso2", /, **changes: dict[str, Any]) -> Path:
    """Make a path that is right but for the changes, given by tier as fields of `Spec`."""
    specs = {tier: replace(spec, **changes.get(tier, {})) for tier, spec in EDITIONS[edition][role].items()}
    root = make(specs["root"])
    sub1 = make(specs["sub1"], root)
    sub2 = make(specs["sub2"], sub1)
    return Path(root, sub1, sub2, make(specs["leaf"], sub2))
