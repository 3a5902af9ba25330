"""XML signatures (W3C XML-Signature Syntax and Processing), as far as a vehicle and a station need them.

All element declarations count for the event codes, so all are here; ISO 15118 forbids keys and objects inside a
signature, so their content is declared for the grammar only and refused by the codec.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import (
    Attribute,
    Base64,
    Content,
    Element,
    InOrder,
    Integer,
    Occurs,
    OneOf,
    Particle,
    Repeat,
    Wildcard,
)

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"

SIMPLE_ELEMENTS: dict[str, Any] = {"DigestValue": Base64, "KeyName": str, "MgmtData": str}
"""Global elements that hold nothing but a value."""


class SignaturePart(Message, namespace=NAMESPACE):
    """Common ground of the types of this namespace: their attributes carry no namespace."""


# What is signed, and how


class CanonicalizationMethod(SignaturePart, element=True):
    """How the signed parts become octets; always EXI here."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(Wildcard())

    Algorithm: Attribute[str]


class SignatureMethod(SignaturePart, element=True):
    """The signature algorithm."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = InOrder(
        (Repeat(Element("HMACOutputLength", Integer), 0, 1), Repeat(Wildcard())),
    )

    Algorithm: Attribute[str]


class Transform(SignaturePart, element=True):
    """One step between the referenced element and the octets that are digested."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(OneOf((Wildcard(), Element("XPath", str))))

    Algorithm: Attribute[str]


class Transforms(SignaturePart, element=True):
    """All steps, in order."""

    Transform: Annotated[list[Transform], Occurs(1, None)]


class DigestMethod(SignaturePart, element=True):
    """The digest algorithm."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(Wildcard())

    Algorithm: Attribute[str]


class Reference(SignaturePart, element=True):
    """One signed element: its URI (`#` and its Id) and the digest of its EXI fragment."""

    Id: Attribute[str | None] = None
    Type: Attribute[str | None] = None
    URI: Attribute[str | None] = None
    Transforms: Transforms | None = None
    DigestMethod: DigestMethod
    DigestValue: Base64


class SignedInfo(SignaturePart, element=True):
    """What the signature value covers: algorithms, and the digests of the signed elements."""

    Id: Attribute[str | None] = None
    CanonicalizationMethod: CanonicalizationMethod
    SignatureMethod: SignatureMethod
    Reference: Annotated[list[Reference], Occurs(1, None)]


class SignatureValue(SignaturePart, element=True):
    """The signature itself."""

    Id: Attribute[str | None] = None
    value: Content[Base64]


# Keys: declared for the grammar only


class X509IssuerSerial(SignaturePart):
    """A certificate named by its issuer's distinguished name and its serial number."""

    X509IssuerName: str
    X509SerialNumber: Integer


class X509Data(SignaturePart, element=True):
    """Certificates of the signer."""

    content: ClassVar[Particle | None] = Repeat(
        OneOf(
            (
                Element("X509IssuerSerial", X509IssuerSerial),
                Element("X509SKI", Base64),
                Element("X509SubjectName", str),
                Element("X509Certificate", Base64),
                Element("X509CRL", Base64),
                Wildcard(),
            ),
        ),
        1,
    )


class RetrievalMethod(SignaturePart, element=True):
    """Where a key can be fetched."""

    Type: Attribute[str | None] = None
    URI: Attribute[str | None] = None
    Transforms: Transforms | None = None


class DSAKeyValue(SignaturePart, element=True):
    """A DSA public key."""

    content: ClassVar[Particle | None] = InOrder(
        (
            Repeat(InOrder((Element("P", Base64), Element("Q", Base64))), 0, 1),
            Repeat(Element("G", Base64), 0, 1),
            Element("Y", Base64),
            Repeat(Element("J", Base64), 0, 1),
            Repeat(InOrder((Element("Seed", Base64), Element("PgenCounter", Base64))), 0, 1),
        ),
    )


class RSAKeyValue(SignaturePart, element=True):
    """An RSA public key."""

    Modulus: Base64
    Exponent: Base64


class KeyValue(SignaturePart, element=True):
    """A public key."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = OneOf(
        (Element("DSAKeyValue", DSAKeyValue), Element("RSAKeyValue", RSAKeyValue), Wildcard()),
    )


class PGPData(SignaturePart, element=True):
    """A PGP key."""

    content: ClassVar[Particle | None] = OneOf(
        (
            InOrder(
                (Element("PGPKeyID", Base64), Repeat(Element("PGPKeyPacket", Base64), 0, 1), Repeat(Wildcard())),
            ),
            InOrder((Element("PGPKeyPacket", Base64), Repeat(Wildcard()))),
        ),
    )


class SPKIData(SignaturePart, element=True):
    """An SPKI key."""

    content: ClassVar[Particle | None] = Repeat(
        InOrder((Element("SPKISexp", Base64), Repeat(Wildcard(), 0, 1))),
        1,
    )


class KeyInfo(SignaturePart, element=True):
    """The key to verify with."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(
        OneOf(
            (
                Element("KeyName", str),
                Element("KeyValue", KeyValue),
                Element("RetrievalMethod", RetrievalMethod),
                Element("X509Data", X509Data),
                Element("PGPData", PGPData),
                Element("SPKIData", SPKIData),
                Element("MgmtData", str),
                Wildcard(),
            ),
        ),
        1,
    )

    Id: Attribute[str | None] = None


# Objects: declared for the grammar only


class Object(SignaturePart, element=True):
    """Anything carried inside the signature."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(Wildcard())

    Encoding: Attribute[str | None] = None
    Id: Attribute[str | None] = None
    MimeType: Attribute[str | None] = None


class Manifest(SignaturePart, element=True):
    """References that are not checked with the signature."""

    Id: Attribute[str | None] = None
    Reference: Annotated[list[Reference], Occurs(1, None)]


class SignatureProperty(SignaturePart, element=True):
    """A statement about a signature."""

    mixed: ClassVar[bool] = True
    content: ClassVar[Particle | None] = Repeat(Wildcard(), 1)

    Id: Attribute[str | None] = None
    Target: Attribute[str]


class SignatureProperties(SignaturePart, element=True):
    """Statements about a signature."""

    Id: Attribute[str | None] = None
    SignatureProperty: Annotated[list[SignatureProperty], Occurs(1, None)]


# The signature


class Signature(SignaturePart, element=True):
    """A signature, as it stands in a message header."""

    Id: Attribute[str | None] = None
    SignedInfo: SignedInfo
    SignatureValue: SignatureValue
    KeyInfo: KeyInfo | None = None
    Object: Annotated[list[Object], Occurs(0, None)] = []
