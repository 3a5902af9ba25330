"""XML signatures over EXI fragments, ISO 15118-2 and -20: make and verify.

A signature covers `SignedInfo`, which holds a digest of each signed element. Both are digested as EXI fragments: the
element under its message schema, `SignedInfo` under the schema of xmldsig alone (-2 Annex J, [V2G20-1449]). The key
never comes out of the signature: whoever verifies brings it from a certificate chain that holds, and the algorithms
follow from that key and the protocol, never from what the sender names.

A peer that encodes `SignedInfo` under its message schema instead is understood. Not so what EXIficient's compiled
grammars write there, an element of any name with its name spelled out: nobody is known to sign that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, SHAKE256, Hash, HashAlgorithm

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
from v2g.record import Record

EXI = "http://www.w3.org/TR/canonical-exi/"
MAX_REFERENCES = 4
"""[V2G2-909]; -20 signs one element at a time, and gets no more either."""
SIGNING_SET = "xmldsig"
"""The schema set `SignedInfo` is encoded with when we sign."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Algorithms that belong together; a signature that mixes them is refused.

    `size` is the length of a signature value in octets: r and s of the same width, raw, not DER [V2G20-1000]; or what
    EdDSA gives.
    """

    method: str
    digest: str
    hash: HashAlgorithm
    curve: ec.EllipticCurve | None
    size: int

    @property
    def key(self) -> str:
        """What the key is that signs."""
        return self.curve.name if self.curve else "ed448"

    def digested(self, fragment: bytes) -> bytes:
        """Digest a signed element."""
        hashing = Hash(self.hash)
        hashing.update(fragment)
        return hashing.finalize()


P256 = Suite(
    method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    digest="http://www.w3.org/2001/04/xmlenc#sha256",
    hash=SHA256(),
    curve=ec.SECP256R1(),
    size=64,
)
P521 = Suite(
    method="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
    digest="http://www.w3.org/2001/04/xmlenc#sha512",
    hash=SHA512(),
    curve=ec.SECP521R1(),
    size=132,
)
"""[V2G20-2473], [V2G20-2475]"""
ED448 = Suite(
    method="urn:iso:std:iso:15118:-20:Security:xmldsig#Ed448",
    digest="urn:iso:std:iso:15118:-20:Security:xmlenc#SHAKE256",
    hash=SHAKE256(64),
    curve=None,
    size=114,
)
"""[V2G20-2474], [V2G20-2476]; that the digest has 64 octets is EVerest's reading (unverified)."""

SUITES = {"iso2": (P256,), "iso20": (P521, ED448)}
"""What each protocol signs with; the key tells which of them."""


class Verified(Record):
    """How a signature was encoded that holds: `SignedInfo` by its schema set, each element by the form's name.

    `elements` has the references' URIs as keys, for example `{"#id1": "ours"}`.
    """

    signed_info: str
    elements: dict[str, str]

    def __str__(self) -> str:
        return ", ".join([f"SignedInfo {self.signed_info}", *(f"{uri} {form}" for uri, form in self.elements.items())])


def suites_of(message_set: str) -> tuple[Suite, ...]:
    """Tell what messages of a schema set are signed with. Raises ValueError for a set whose messages are not signed."""
    protocol = message_set.partition(".")[0]
    if protocol not in SUITES:
        raise ValueError(f"messages of {message_set!r} are not signed, only those of {', '.join(SUITES)}")
    return SUITES[protocol]


def sign(
    elements: Sequence[tuple[str, bytes]],
    key: PrivateKeyTypes,
    message_set: str,
    *,
    suites: Sequence[Suite] | None = None,
) -> Signature:
    """Sign elements of a message of `message_set`, each given as its Id and its EXI fragment.

    The key decides among the protocol's suites; `suites` are others, for peers that know only those. Raises ValueError
    for a key that fits none, for no or more than four elements, and for an Id that is empty or used twice.
    """
    allowed = suites_of(message_set) if suites is None else suites
    suite = next((each for each in allowed if each.key == _kind(key)), None)
    if suite is None:
        raise ValueError(f"a key on {_kind(key)} cannot sign; {message_set} wants {_kinds(allowed)}")
    names = [name for name, _ in elements]
    if not 1 <= len(names) <= MAX_REFERENCES or len(set(names)) < len(names) or not all(names):
        raise ValueError(f"cannot sign elements with the Ids {names}; give 1 to {MAX_REFERENCES}, each its own")
    signed = SignedInfo(
        CanonicalizationMethod=CanonicalizationMethod(Algorithm=EXI),
        SignatureMethod=SignatureMethod(Algorithm=suite.method),
        Reference=[_reference(name, fragment, suite) for name, fragment in elements],
    )
    value = _value(key, suite, schema(SIGNING_SET).encode_fragment(signed))
    return Signature(SignedInfo=signed, SignatureValue=SignatureValue(value=value))


def verify(
    signature: Signature,
    elements: Mapping[str, Mapping[bytes, str]],
    public_key: PublicKeyTypes,
    message_set: str,
    *,
    suites: Sequence[Suite] | None = None,
) -> Verified:
    """Verify that `signature` covers exactly `elements`, and was made with the key that belongs to `public_key`.

    `elements` gives for each Id the fragments it may have been digested as, each with its name: what
    `Schema.fragment_forms` of the received element tells. `SignedInfo` may be encoded by xmldsig alone or as a fragment
    of `message_set`. `suites` are accepted instead of those the protocol prescribes: our setting, never the sender's.
    Raises `Untrusted` for everything else, whatever goes wrong on the way.
    """
    try:
        suite = _suite(public_key, suites_of(message_set) if suites is None else suites)
        _check_structure(signature, suite)
        _check_names([reference.URI for reference in signature.SignedInfo.Reference], elements)
        return Verified(
            elements={
                str(reference.URI): _matching_element(reference, elements[str(reference.URI)[1:]], suite)
                for reference in signature.SignedInfo.Reference
            },
            signed_info=_matching_signed_info(signature, public_key, suite, (SIGNING_SET, message_set)),
        )
    except Untrusted:
        raise
    except Exception as error:
        raise Untrusted("signature", f"its check failed with {type(error).__name__}: {error}") from error


# Keys and values


def _kind(key: object) -> str:
    """Tell what a key is, as suites name it."""
    match key:
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return key.curve.name
        case ed448.Ed448PrivateKey() | ed448.Ed448PublicKey():
            return ED448.key
        case _:
            return type(key).__name__


def _kinds(suites: Sequence[Suite]) -> str:
    return " or ".join(suite.key for suite in suites) or "none"


def _suite(public_key: object, suites: Sequence[Suite]) -> Suite:
    """Tell the suite of the certificate's key."""
    for suite in suites:
        if suite.key == _kind(public_key):
            return suite
    raise Untrusted("signature", f"the certificate's key is {_kind(public_key)}, not {_kinds(suites)}")


def _value(key: PrivateKeyTypes, suite: Suite, data: bytes) -> bytes:
    """Make a signature value."""
    match key:
        case ec.EllipticCurvePrivateKey():
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(suite.hash)))
            return r.to_bytes(suite.size // 2) + s.to_bytes(suite.size // 2)
        case ed448.Ed448PrivateKey():
            return key.sign(data)
    raise ValueError(f"a key on {_kind(key)} cannot sign")


def _fits(value: bytes, public_key: PublicKeyTypes, suite: Suite, data: bytes) -> bool:
    """Tell whether a signature value was made over these bytes with the certificate's key."""
    try:
        match public_key:
            case ec.EllipticCurvePublicKey():
                r, s = int.from_bytes(value[: suite.size // 2]), int.from_bytes(value[suite.size // 2 :])
                if not (0 < r < public_key.curve.group_order and 0 < s < public_key.curve.group_order):
                    raise Untrusted("signature", "r or s lies outside the curve's order")
                public_key.verify(encode_dss_signature(r, s), data, ec.ECDSA(suite.hash))
                return True
            case ed448.Ed448PublicKey():
                public_key.verify(value, data)
                return True
    except InvalidSignature:
        return False
    return False


# The parts of a signature


def _reference(name: str, fragment: bytes, suite: Suite) -> Reference:
    """Refer to an element by its Id."""
    return Reference(
        URI=f"#{name}",
        Transforms=Transforms(Transform=[Transform(Algorithm=EXI)]),
        DigestMethod=DigestMethod(Algorithm=suite.digest),
        DigestValue=suite.digested(fragment),
    )


def _faults(signature: Signature, suite: Suite) -> Iterator[tuple[bool, str]]:
    """List what must not be, each with whether it is [V2G2-771]."""
    signed, value = signature.SignedInfo, signature.SignatureValue
    canonicalization, method = signed.CanonicalizationMethod.Algorithm, signed.SignatureMethod.Algorithm
    count, size = len(signed.Reference), len(value.value)
    yield signature.KeyInfo is not None, "KeyInfo is forbidden"
    yield bool(signature.Object), "Object is forbidden"
    yield signed.Id is not None, "SignedInfo has an Id"
    yield value.Id is not None, "SignatureValue has an Id"
    yield canonicalization != EXI, f"CanonicalizationMethod is {_short(canonicalization)}, not EXI"
    yield method != suite.method, f"SignatureMethod is {_short(method)}, not {suite.method}"
    yield not 1 <= count <= MAX_REFERENCES, f"{count} references, not 1 to {MAX_REFERENCES}"
    yield size != suite.size, f"SignatureValue of {size} bytes, not {suite.size} as of {suite.key}, raw"


def _check_structure(signature: Signature, suite: Suite) -> None:
    """Refuse what is forbidden inside a signature, and algorithms other than those of the key."""
    for wrong, what in _faults(signature, suite):
        if wrong:
            raise Untrusted("signature", what)


def _check_names(uris: Sequence[str | None], elements: Mapping[str, object]) -> None:
    """Match references and elements one to one, by Id and never by position."""
    wanted = [f"#{name}" for name in elements]
    for uri in uris:
        if uri not in wanted or uri == "#":
            raise Untrusted("signature, references", f"{_short(uri)} refers to nothing that is to be signed")
        if uris.count(uri) > 1:
            raise Untrusted("signature, references", f"{_short(uri)} is referred to {uris.count(uri)} times")
    missing = [_short(uri) for uri in wanted if uri not in uris]
    if missing:
        raise Untrusted("signature, references", f"{', '.join(missing)} is not signed")


def _matching_element(reference: Reference, forms: Mapping[bytes, str], suite: Suite) -> str:
    """Tell the form an element was digested in; refuses a reference of another kind [V2G2-767]."""
    uri, digest = _short(reference.URI), reference.DigestMethod.Algorithm
    transforms = [each.Algorithm for each in reference.Transforms.Transform] if reference.Transforms else []
    if reference.Type is not None:
        raise Untrusted("signature, references", f"{uri} has a Type: {_short(reference.Type)}")
    if transforms != [EXI]:
        first = ", ".join(map(_short, transforms[:2]))
        raise Untrusted("signature, references", f"{uri} has {len(transforms)} transforms ({first}), not EXI alone")
    if digest != suite.digest:
        raise Untrusted("signature, references", f"{uri} is digested by {_short(digest)}, not {suite.digest}")
    for fragment, form in forms.items():
        if suite.digested(fragment) == reference.DigestValue:
            return form
    raise Untrusted("signature, digest", f"{uri} was changed, or digested in another encoding")


def _matching_signed_info(
    signature: Signature, public_key: PublicKeyTypes, suite: Suite, schema_sets: Sequence[str]
) -> str:
    """Tell the schema set of the encoding of SignedInfo that the signature value fits."""
    for name in schema_sets:
        data = schema(name).encode_fragment(signature.SignedInfo)
        if _fits(signature.SignatureValue.value, public_key, suite, data):
            return name
    raise Untrusted("signature", "it was not made with the certificate's key, or SignedInfo was changed")


def _short(text: str | None) -> str:
    """Quote what a peer wrote, bounded in length."""
    return f"{text!r:.80}"
