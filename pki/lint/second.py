"""The second reader: what pyasn1 finds in a certificate, to be compared with what `cryptography` found.

The two share no code. Where they disagree, somebody may be shown one certificate and trust another. pyasn1 is an
optional dependency (the extra `lab`) and loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ObjectIdentifier

from pki.certificate import Certificate
from pki.lint.finding import Remark
from pki.lint.tlv import Walk
from pki.profiles import Usage

Facts = Mapping[str, object]
Key = tuple[bytes, bytes]
"""The parameters of a public key, DER, and its bits."""
_USAGE_BITS = (
    Usage.SIGNATURE,
    Usage.NON_REPUDIATION,
    Usage.KEY_ENCIPHERMENT,
    Usage.DATA_ENCIPHERMENT,
    Usage.KEY_AGREEMENT,
    Usage.CERT_SIGN,
    Usage.CRL_SIGN,
    Usage.ENCIPHER_ONLY,
    Usage.DECIPHER_ONLY,
)
_KEY_USAGE, _CONSTRAINTS, _PURPOSES = "2.5.29.15", "2.5.29.19", "2.5.29.37"
_OWN_KEY, _ISSUER_KEY = "2.5.29.14", "2.5.29.35"
_remembered = lru_cache(maxsize=1024)
"""Certificates of one tree say the same in most places, and pyasn1 takes its time."""


def available() -> bool:
    """Tell whether pyasn1 is installed."""
    return find_spec("pyasn1") is not None and find_spec("pyasn1_modules") is not None


def disagreements(der: bytes, certificate: Certificate | None) -> Iterator[Remark]:
    """Yield where the two readers see different things, or only one sees a certificate (`certificate` is None)."""
    found = second_reading(der)
    if certificate is None:
        if isinstance(found, dict):
            yield Remark("parsers-disagree", f"pyasn1 reads what is refused here, serial {found['serialNumber']}")
        return
    if isinstance(found, str):
        yield Remark("parsers-disagree", f"pyasn1 refuses what cryptography reads: {found}")
        return
    first = first_reading(certificate)
    for name, value in first.items():
        silent = value is None and name == "subjectPublicKeyInfo"
        if found[name] != value and not silent:
            yield Remark("parsers-disagree", f"{name} is {value!r} to cryptography, {found[name]!r} to pyasn1", name)


def first_reading(certificate: Certificate) -> Facts:
    """Return the facts as `cryptography` has them."""
    parsed = certificate.parsed
    return {
        "serialNumber": certificate.serial,
        "signatureAlgorithm": parsed.signature_algorithm_oid.dotted_string,
        "signatureValue": parsed.signature,
        "issuer": _names(parsed.issuer),
        "subject": _names(parsed.subject),
        "notBefore": certificate.not_before,
        "notAfter": certificate.not_after,
        "subjectPublicKeyInfo": _key(certificate),
        "extensions": [(one.oid.dotted_string, one.critical) for one in parsed.extensions],
        "ca": certificate.ca,
        "pathLength": certificate.path_length,
        "keyUsage": None if certificate.usage is None else tuple(sorted(certificate.usage)),
        "extKeyUsage": None if certificate.purposes is None else _sorted(certificate.purposes),
        "subjectKeyIdentifier": certificate.key_id,
        "authorityKeyIdentifier": certificate.issuer_key_id,
    }


def _sorted(oids: Iterable[ObjectIdentifier]) -> tuple[str, ...]:
    return tuple(sorted(oid.dotted_string for oid in oids))


def _names(name: x509.Name) -> list[tuple[str, object]]:
    return [(part.oid.dotted_string, part.value if isinstance(part.value, str) else None) for part in name]


def _key(certificate: Certificate) -> Key | None:
    key = certificate.key
    if key is None or not certificate.plain_key:
        return None  # the profile says so; it is written anew here, in another form
    walk = Walk(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    info = walk.read()
    if info is None:
        return None
    algorithm, bits = info.children
    return b"".join(map(walk.whole, algorithm.children[1:])), walk.content(bits)[1:]


def second_reading(der: bytes) -> dict[str, object] | str:
    """Return the facts as pyasn1 has them, or why it cannot read the bytes."""
    from pyasn1.codec.der import decoder
    from pyasn1.error import PyAsn1Error
    from pyasn1_modules import rfc5280

    try:
        certificate, _ = decoder.decode(der, asn1Spec=rfc5280.Certificate())
        return _facts(certificate)
    except (PyAsn1Error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _facts(certificate: Any) -> dict[str, object]:
    tbs = certificate["tbsCertificate"]
    extensions = [
        (str(one["extnID"]), bool(one["critical"]), bytes(one["extnValue"]))
        for one in (tbs["extensions"] if tbs["extensions"].isValue else ())
    ]
    values = {oid: value for oid, _, value in extensions}
    ca, length = _constraints(values.get(_CONSTRAINTS))
    return {
        "serialNumber": int(tbs["serialNumber"]),
        "signatureAlgorithm": str(certificate["signatureAlgorithm"]["algorithm"]),
        "signatureValue": certificate["signature"].asOctets(),
        "issuer": _parts(tbs["issuer"]),
        "subject": _parts(tbs["subject"]),
        "notBefore": _time(tbs["validity"]["notBefore"]),
        "notAfter": _time(tbs["validity"]["notAfter"]),
        "subjectPublicKeyInfo": _bits(tbs["subjectPublicKeyInfo"]),
        "extensions": [(oid, critical) for oid, critical, _ in extensions],
        "ca": ca,
        "pathLength": length,
        "keyUsage": _usage(values.get(_KEY_USAGE)),
        "extKeyUsage": _purposes(values.get(_PURPOSES)),
        "subjectKeyIdentifier": _own_key(values.get(_OWN_KEY)),
        "authorityKeyIdentifier": _issuer_key(values.get(_ISSUER_KEY)),
    }


def _decoded(value: bytes, spec: Any) -> Any:
    from pyasn1.codec.der import decoder

    return decoder.decode(value, asn1Spec=spec)[0]


def _bits(info: Any) -> Key:
    parameters = info["algorithm"]["parameters"]
    return bytes(parameters) if parameters.isValue else b"", info["subjectPublicKey"].asOctets()


def _parts(name: Any) -> list[tuple[str, object]]:
    return [(str(part["type"]), _text(bytes(part["value"]))) for relative in name[0] for part in relative]


@_remembered
def _text(value: bytes) -> str:
    from pyasn1.codec.der import decoder

    return str(decoder.decode(value)[0])


def _time(time: Any) -> datetime:
    moment: datetime = time[time.getName()].asDateTime
    return moment.astimezone(UTC)


@_remembered
def _constraints(value: bytes | None) -> tuple[bool | None, int | None]:
    from pyasn1_modules import rfc5280

    if value is None:
        return None, None
    constraints = _decoded(value, rfc5280.BasicConstraints())
    length = constraints["pathLenConstraint"]
    return bool(constraints["cA"]), int(length) if length.isValue else None


@_remembered
def _usage(value: bytes | None) -> tuple[Usage, ...] | None:
    from pyasn1_modules import rfc5280

    if value is None:
        return None
    bits = _decoded(value, rfc5280.KeyUsage())
    found = {bit for bit, one in zip(_USAGE_BITS, bits, strict=False) if one}
    if Usage.KEY_AGREEMENT not in found:
        found -= {Usage.ENCIPHER_ONLY, Usage.DECIPHER_ONLY}
    return tuple(sorted(found))


@_remembered
def _purposes(value: bytes | None) -> tuple[str, ...] | None:
    from pyasn1_modules import rfc5280

    if value is None:
        return None
    return tuple(sorted({str(oid) for oid in _decoded(value, rfc5280.ExtKeyUsageSyntax())}))


def _own_key(value: bytes | None) -> bytes | None:
    from pyasn1_modules import rfc5280

    return None if value is None else bytes(_decoded(value, rfc5280.SubjectKeyIdentifier()))


@_remembered
def _issuer_key(value: bytes | None) -> bytes | None:
    from pyasn1_modules import rfc5280

    if value is None:
        return None
    identifier = _decoded(value, rfc5280.AuthorityKeyIdentifier())["keyIdentifier"]
    return bytes(identifier) if identifier.isValue else None
