"""XML signatures over EXI fragments, ISO 15118-2: make and verify.

A signature covers `SignedInfo`, which holds a digest of each signed element. Both are digested as EXI fragments: the
element under its message schema, `SignedInfo` under the schema of xmldsig alone (Annex J). The key never comes out of
the signature: whoever verifies brings it from a certificate chain that holds.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from v2g.errors import Untrusted
from v2g.messages.xmldsig import (
    CanonicalizationMethod,
    DigestMethod,
    Reference,
    Signature,
    SignatureMethod,
    SignatureValue,
    SignedInfo,
    Transform,
    Transforms,
)
from v2g.protocols import schema

EXI = "http://www.w3.org/TR/canonical-exi/"
SHA256_URI = "http://www.w3.org/2001/04/xmlenc#sha256"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

MAX_REFERENCES = 4
"""[V2G2-909]"""
CURVE = "secp256r1"
COORDINATE = 32
"""Bytes of r and of s; the value is r and s, raw, not DER."""
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of secp256r1 (SEC 2, 2.4.2); r and s lie below it."""

FORM = "xmldsig"
"""The schema `SignedInfo` is encoded with when we sign."""

log = logging.getLogger(__name__)


def sign(elements: Sequence[tuple[str, bytes]], key: ec.EllipticCurvePrivateKey) -> Signature:
    """Sign elements, each given as its Id and its EXI fragment, with a secp256r1 key.

    Raises `ValueError` for another curve, for no or more than four elements, and for an Id that is empty or used twice.
    """
    if key.curve.name != CURVE:
        raise ValueError(f"a key on {key.curve.name} cannot sign; ISO 15118-2 wants secp256r1")
    names = [name for name, _ in elements]
    if not 1 <= len(names) <= MAX_REFERENCES or len(set(names)) < len(names) or not all(names):
        raise ValueError(f"cannot sign elements with the Ids {names}; give 1 to {MAX_REFERENCES}, each its own")
    signed = SignedInfo(
        CanonicalizationMethod=CanonicalizationMethod(Algorithm=EXI),
        SignatureMethod=SignatureMethod(Algorithm=ECDSA_SHA256),
        Reference=[_reference(name, fragment) for name, fragment in elements],
    )
    r, s = decode_dss_signature(key.sign(schema(FORM).encode_fragment(signed), ec.ECDSA(SHA256())))
    return Signature(
        SignedInfo=signed, SignatureValue=SignatureValue(value=r.to_bytes(COORDINATE) + s.to_bytes(COORDINATE))
    )


def verify(
    signature: Signature,
    elements: Mapping[str, Sequence[bytes]],
    public_key: ec.EllipticCurvePublicKey,
    *,
    forms: Sequence[str] = (FORM,),
) -> str:
    """Verify that `signature` covers exactly `elements`, and was made with the key that belongs to `public_key`.

    `elements` gives for each Id the EXI fragments it may have been digested as (one, but for elements peers encode
    differently). `forms` names the schemas to try for SignedInfo; the one that matched is returned. Raises `Untrusted`
    for everything else, whatever goes wrong on the way.
    """
    try:
        _check_structure(signature)
        _check_references(signature.SignedInfo.Reference, elements)
        return _matching_form(signature, public_key, forms)
    except Untrusted:
        raise
    except Exception as error:
        raise Untrusted("signature", f"its check failed with {type(error).__name__}: {error}") from error


def _reference(name: str, fragment: bytes) -> Reference:
    """Refer to an element by its Id."""
    return Reference(
        URI=f"#{name}",
        Transforms=Transforms(Transform=[Transform(Algorithm=EXI)]),
        DigestMethod=DigestMethod(Algorithm=SHA256_URI),
        DigestValue=hashlib.sha256(fragment).digest(),
    )


def _faults(signature: Signature) -> Iterator[tuple[bool, str]]:
    """List what must not be, each with whether it is [V2G2-771]."""
    signed, value = signature.SignedInfo, signature.SignatureValue
    canonicalization, method = signed.CanonicalizationMethod.Algorithm, signed.SignatureMethod.Algorithm
    count, size = len(signed.Reference), len(value.value)
    yield signature.KeyInfo is not None, "KeyInfo is forbidden"
    yield bool(signature.Object), "Object is forbidden"
    yield signed.Id is not None, "SignedInfo has an Id"
    yield value.Id is not None, "SignatureValue has an Id"
    yield canonicalization != EXI, f"CanonicalizationMethod is {canonicalization}, not EXI"
    yield method != ECDSA_SHA256, f"SignatureMethod is {method}, not ECDSA with SHA-256"
    yield not 1 <= count <= MAX_REFERENCES, f"{count} references, not 1 to {MAX_REFERENCES}"
    yield size != 2 * COORDINATE, f"SignatureValue of {size} bytes, not r and s of {COORDINATE} each"


def _check_structure(signature: Signature) -> None:
    """Refuse what ISO 15118-2 forbids inside a signature, and algorithms other than its own."""
    for wrong, what in _faults(signature):
        if wrong:
            raise Untrusted("signature", what)


def _check_references(references: Sequence[Reference], elements: Mapping[str, Sequence[bytes]]) -> None:
    """Match references and elements one to one, by Id and never by position."""
    wanted = sorted(f"#{name}" for name in elements)
    found = sorted(str(reference.URI) for reference in references)
    if found != wanted:
        raise Untrusted("signature, references", f"they name {found}, to be signed are {wanted}")
    for reference in references:
        _check_reference(reference, elements[str(reference.URI)[1:]])


def _check_reference(reference: Reference, fragments: Sequence[bytes]) -> None:
    """Refuse a reference of another form [V2G2-767] or whose digest fits none of the fragments."""
    transforms = [each.Algorithm for each in reference.Transforms.Transform] if reference.Transforms else []
    if reference.Type is not None:
        raise Untrusted("signature, references", f"{reference.URI} has a Type: {reference.Type}")
    if transforms != [EXI]:
        raise Untrusted("signature, references", f"{reference.URI} is not transformed by EXI once, but by {transforms}")
    if reference.DigestMethod.Algorithm != SHA256_URI:
        raise Untrusted("signature, references", f"{reference.URI} is digested by {reference.DigestMethod.Algorithm}")
    digests = [hashlib.sha256(fragment).digest() for fragment in fragments]
    if reference.DigestValue not in digests:
        raise Untrusted("signature, digest", f"{reference.URI} was changed, or digested in another encoding")
    if matched := digests.index(reference.DigestValue):
        log.info("%s was digested in the alternative encoding %d", reference.URI, matched)


def _matching_form(signature: Signature, public_key: ec.EllipticCurvePublicKey, forms: Sequence[str]) -> str:
    """Return the first form of SignedInfo whose bytes the signature value fits."""
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.name != CURVE:
        raise Untrusted("signature", "the certificate's key is not on secp256r1")
    value = signature.SignatureValue.value
    r, s = int.from_bytes(value[:COORDINATE]), int.from_bytes(value[COORDINATE:])
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise Untrusted("signature", "r or s lies outside the curve's order")
    for form in forms:
        try:
            public_key.verify(
                encode_dss_signature(r, s), schema(form).encode_fragment(signature.SignedInfo), ec.ECDSA(SHA256())
            )
        except InvalidSignature:
            continue
        return form
    raise Untrusted("signature", "it was not made with the certificate's key, or SignedInfo was changed")
