"""What a certificate says, read by asn1crypto: which points of it differ from one that is as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def points(der: bytes, above: bytes | None) -> dict[str, Any]:
    """The points of a certificate by name, free of what differs between any two: keys, serial numbers, signatures.

    `above` is the one that should have issued it. What cannot be read is {"unreadable": True}.
    """
    try:
        certificate = x509.Certificate.load(der, strict=True)
        found = _points(certificate, above)
    except (ValueError, TypeError, KeyError):
        return {"unreadable": True}
    if certificate.dump(force=True) != der:
        found["bytes"] = "not as DER writes it"
    return found


def _points(certificate: Any, above: bytes | None) -> dict[str, Any]:
    tbs = certificate["tbs_certificate"]
    serial = tbs["serial_number"].native
    found = {
        "version": tbs["version"].native,
        "serial": "fine" if 0 < serial < 1 << 159 else serial if serial < 1 else "too long",
        "inner algorithm": tbs["signature"]["algorithm"].native,
        "outer algorithm": certificate["signature_algorithm"]["algorithm"].native,
        "issuer": tbs["issuer"].dump(),
        "validity": _validity(tbs["validity"]),
        "key": _kind(tbs["subject_public_key_info"]),
        "signature": above is not None and _signed(certificate, above),
        "size": len(certificate.dump()),
    }
    for kind in ("common_name", "organization_name", "country_name", "domain_component"):
        found[kind] = [
            (type(each["value"].chosen).__name__ if hasattr(each["value"], "chosen") else "", each["value"].native)
            for rdn in tbs["subject"].chosen
            for each in rdn
            if each["type"].native == kind
        ]
    names = [each["extn_id"].native for each in tbs["extensions"]]
    found["extensions twice"] = len(names) != len(set(names))
    for each in tbs["extensions"]:
        found[each["extn_id"].native] = _extension(each, certificate, above)
    return found


def _validity(validity: Any) -> str:
    start, end, now = validity["not_before"].native, validity["not_after"].native, datetime.now(UTC)
    if now > end:
        return "over"
    if now < start:
        return "to come"
    return "ends soon" if end - now < timedelta(days=21) else "now"


def _kind(info: Any) -> str:
    algorithm = info["algorithm"]
    name = algorithm["algorithm"].native
    return str(algorithm["parameters"].native) if name == "ec" else str(name)


def _extension(each: Any, certificate: Any, above: bytes | None) -> tuple[bool, Any]:
    name, critical = each["extn_id"].native, each["critical"].native
    value: Any = each["extn_value"].native
    if name == "key_identifier":
        value = each["extn_value"].parsed.native == certificate.public_key.sha1
    elif name == "authority_key_identifier":
        wanted = x509.Certificate.load(above).key_identifier if above else None
        value = each["extn_value"].parsed["key_identifier"].native == wanted
    else:
        value = each["extn_value"].parsed.native if each["extn_value"].parsed is not None else value
    return critical, value


def _signed(certificate: Any, above: bytes) -> bool:
    """Whether a certificate is signed by another, by its own word for the algorithm."""
    issuer = x509.Certificate.load(above)
    key = load_der_public_key(issuer.public_key.dump())
    signature, signed = certificate["signature_value"].contents[1:], certificate["tbs_certificate"].dump()
    try:
        if isinstance(key, ed448.Ed448PublicKey):
            key.verify(signature, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_HASHES[certificate.hash_algo]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[certificate.hash_algo])
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, KeyError, ValueError):
        return False
    return True


def links(chain: Sequence[bytes], anchors: Sequence[bytes]) -> str:
    """Who issued whom: a "+" for each certificate that the next one issued, by name and signature; "n" by name alone.

    "-" stands for neither; the last one is compared with the anchors.
    """
    loaded = [x509.Certificate.load(each) for each in chain]
    told = [_link(lower, [upper]) for lower, upper in zip(loaded, chain[1:], strict=False)]
    return "".join((*told, _link(loaded[-1], anchors)))


def _link(lower: Any, uppers: Sequence[bytes]) -> str:
    named = [upper for upper in uppers if x509.Certificate.load(upper).subject.dump() == lower.issuer.dump()]
    if any(_signed(lower, upper) for upper in named):
        return "+"
    return "n" if named else "-"
