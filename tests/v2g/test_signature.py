"""Signatures against bits derived by hand, another stack's signature, and the openssl command line."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.reference import REFERENCE, needs_reference
from tests.signing import (
    C14N,
    ECDSA,
    ECDSA_512,
    ED448_KEY,
    EDDSA,
    ELEMENTS,
    EXI,
    HMAC,
    INFO,
    KEY,
    KINDS,
    ONE,
    ORDER,
    OURS,
    P521_KEY,
    PUBLIC,
    RAW,
    SHA1,
    SHA256,
    SHA512,
    SIGNED,
    TWO,
    Made,
    kinds,
    refused,
    seal,
    transformed,
)
from v2g.errors import Undecodable, Untrusted
from v2g.messages import iso2
from v2g.messages.xmldsig import (
    CanonicalizationMethod,
    DigestMethod,
    KeyInfo,
    Object,
    Signature,
    SignatureMethod,
    SignatureValue,
    SignedInfo,
)
from v2g.protocols import schema
from v2g.signature import P256, SUITES, Suite, Verified, sign, suites_of, verify


def value(number: int, width: int) -> str:
    """Write an event code."""
    return f"{number:0{width}b}"


def text(characters: str) -> str:
    """Write a string that is not in the table: its length plus 2, then the characters, all below 128."""
    return value(len(characters) + 2, 8) + "".join(value(ord(character), 8) for character in characters)


def signed_info(uri: str, digest: bytes, method: str = ECDSA, digest_method: str = SHA256) -> bytes:
    """Write SignedInfo as a fragment of the xmldsig schema, production by production.

    Each state has one production more than the schema gives, the escape to the second level, and its code takes
    ceil(log2 of that) bits; START ELEMENT is SE, END ELEMENT is EE, AT an attribute, CH characters.
    """
    bits = value(0b10000000, 8)  # EXI header: distinguishing bits, no options, version 1
    bits += value(32, 6)  # fragment root, 45 elements by name, SE(*), END DOCUMENT: SignedInfo is the 33rd
    bits += value(1, 2)  # SignedInfo {AT Id, SE CanonicalizationMethod}
    bits += value(0, 1) + text(EXI)  # {AT Algorithm}
    bits += value(1, 2)  # {SE(*), EE, CH}: mixed content, nothing in it
    bits += value(0, 1)  # {SE SignatureMethod}
    bits += value(0, 1) + text(method)  # {AT Algorithm}
    bits += value(2, 3)  # {SE HMACOutputLength, SE(*), EE, CH}
    bits += value(0, 1)  # {SE Reference}
    bits += value(2, 3) + text(uri)  # Reference {AT Id, AT Type, AT URI, SE Transforms, SE DigestMethod}
    bits += value(0, 2)  # {SE Transforms, SE DigestMethod}
    bits += value(0, 1)  # {SE Transform}
    bits += value(0, 1) + text(EXI)  # {AT Algorithm}; the same string again, since the table keeps none [V2G2-099]
    bits += value(2, 3)  # {SE XPath, SE(*), EE, CH}
    bits += value(1, 2)  # Transforms {SE Transform, EE}
    bits += value(0, 1)  # {SE DigestMethod}
    bits += value(0, 1) + text(digest_method)  # {AT Algorithm}
    bits += value(1, 2)  # {SE(*), EE, CH}
    bits += value(0, 1)  # {SE DigestValue}
    bits += value(0, 1)  # {CH}
    bits += value(len(digest), 8) + "".join(value(byte, 8) for byte in digest)
    bits += value(0, 1)  # {EE} of DigestValue
    bits += value(0, 1)  # {EE} of Reference
    bits += value(1, 2)  # {SE Reference, EE} of SignedInfo
    bits += value(46, 6)  # fragment root: END DOCUMENT
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


@dataclass(frozen=True)
class Josev:
    """What Josev 0.31.2 (EXIficient) made of AuthorizationReq with Id "id1" and the challenge 00 01 .. 0f."""

    fragment = bytes.fromhex("8004015a590c408000081018202830384048505860687079e8")
    signed_info = bytes.fromhex(
        "808112b43a3a381d1797bbbbbb973b999737b93397aa2917b1b0b737b734b1b0b616b2bc3497a1ab43a3a381d1797bbbbbb973b999737b9"
        "33979918181897981a17bc36b63239b4b396b6b7b93291b2b1b239b096b9b430991a9b220623696431025687474703a2f2f7777772e7733"
        "2e6f72672f54522f63616e6f6e6963616c2d6578692f4852d0e8e8e0745e5eeeeeee5cee665cdee4ce5e646060625e60685ef0dad8cadcc"
        "646e6d0c2646a6c84055ab76fa6f3e169e1293a13ab56694376c15c22b9460ed7b1d5dcb70f1851ed8370"
    )
    value = bytes.fromhex(
        "57245fc4dae4b1b94bad4369162d230604df2e5b459919b8e251be6d331120bc"
        "340ed1e79c33236568249d6d2025d884daa63e8b5cd6a4d0559ac3ac160df02e"
    )
    public_key = bytes.fromhex(
        "049fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934"
        "07cb45769f1070e2c2470fe5b1bfe63133c0b0cdc64ea4bf3791a8ec2a07fd4f"
    )


def test_the_bits_by_hand_are_those_of_exificient() -> None:
    assert signed_info("#id1", hashlib.sha256(Josev.fragment).digest()) == Josev.signed_info


def test_a_signature_of_another_stack_is_accepted() -> None:
    made = sign([("id1", Josev.fragment)], KEY, "iso2")
    foreign = replace(made, SignatureValue=SignatureValue(value=Josev.value))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), Josev.public_key)
    forms = {"id1": {Josev.fragment: "ours"}}
    assert verify(foreign, forms, public, "iso2") == Verified(signed_info="xmldsig", elements={"#id1": "ours"})
    refused(foreign, forms, PUBLIC, text="not made with the certificate's key")


def der(value: bytes) -> bytes:
    """Put r and s into DER, as tools outside of V2G want them."""
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))


@kinds
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")
def test_openssl_verifies_our_signature_over_the_bits_by_hand(made: Made, tmp_path: Path) -> None:
    raw = sign([("id1", ONE)], made.key, made.message_set).SignatureValue.value
    elliptic = isinstance(made.key, ec.EllipticCurvePrivateKey)
    files = {
        "key.pem": made.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "value": der(raw) if elliptic else raw,
        "signed": signed_info("#id1", made.digested(ONE), made.method, made.digest),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    digested = ["dgst", f"-{made.hash}", "-verify", "key.pem", "-signature", "value", "signed"]
    pure = ["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "signed", "-sigfile", "value"]
    command = ["openssl", *(digested if elliptic else pure)]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "signed").write_bytes(files["signed"][:-1])
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@kinds
def test_what_we_sign_is_what_the_standard_prescribes(made: Made) -> None:
    signature = sign([("id1", ONE), ("id2", TWO)], made.key, made.message_set)
    info = signature.SignedInfo
    assert (info.CanonicalizationMethod.Algorithm, info.SignatureMethod.Algorithm) == (EXI, made.method)
    assert [reference.URI for reference in info.Reference] == ["#id1", "#id2"]
    for reference, fragment in zip(info.Reference, (ONE, TWO), strict=True):
        assert reference.Transforms is not None
        assert [transform.Algorithm for transform in reference.Transforms.Transform] == [EXI]
        assert reference.DigestMethod.Algorithm == made.digest
        assert reference.DigestValue == made.digested(fragment)
    assert (signature.KeyInfo, signature.Object, info.Id, signature.SignatureValue.Id) == (None, [], None, None)
    assert len(signature.SignatureValue.value) == made.size


@kinds
def test_our_own_signature_verifies_in_any_order(made: Made) -> None:
    signature, public = sign([("id1", ONE), ("id2", TWO)], made.key, made.message_set), made.key.public_key()
    assert verify(signature, ELEMENTS, public, made.message_set) == OURS
    assert verify(signature, dict(reversed(ELEMENTS.items())), public, made.message_set) == OURS


@pytest.mark.parametrize(("key", "message_set"), [(KEY, "iso2"), (P521_KEY, "iso20.dc")], ids=["P-256", "P-521"])
def test_the_values_have_fixed_width(key: ec.EllipticCurvePrivateKey, message_set: str) -> None:
    """One r in 256 (P-521: every second) begins with a zero octet; it is padded."""
    tried = (sign([("a", ONE)], key, message_set) for _ in range(20_000))
    signature = next(made for made in tried if not made.SignatureValue.value[0])
    assert len(signature.SignatureValue.value) == (64 if message_set == "iso2" else 132)
    verify(signature, {"a": {ONE: "ours"}}, key.public_key(), message_set)


def test_an_alternative_encoding_of_an_element_is_accepted_and_named() -> None:
    verified = verify(SIGNED, {"id1": {b"another": "ours", ONE: "typed"}, "id2": {TWO: "ours"}}, PUBLIC, "iso2")
    assert verified == Verified(signed_info="xmldsig", elements={"#id1": "typed", "#id2": "ours"})
    assert str(verified) == "SignedInfo xmldsig, #id1 typed, #id2 ours"


@pytest.mark.parametrize("form", ["ours", "typed"])
def test_an_emaid_is_accepted_in_both_forms(form: str) -> None:
    """The relaxed form is EXI's rule and Josev's, the other libcbv2g's."""
    emaid = iso2.EMAID(Id="id4", value="DE1")
    forms = schema("iso2").fragment_forms(emaid)
    fragment = next(fragment for fragment, name in forms.items() if name == form)
    signature = sign([("id4", fragment)], KEY, "iso2")
    assert verify(signature, {"id4": forms}, PUBLIC, "iso2").elements == {"#id4": form}
    other = schema("iso2").fragment_forms(replace(emaid, value="DE2"))
    refused(signature, {"id4": other}, text="#id4' was changed")


@pytest.mark.parametrize("form", ["iso2", "iso20.common", "iso20.dc", "iso20.ac"])
def test_signed_info_by_the_schema_of_its_message_is_accepted_and_named(form: str) -> None:
    key = KEY if form == "iso2" else P521_KEY
    info = sign([("id1", ONE), ("id2", TWO)], key, form).SignedInfo
    assert verify(seal(info, form, key), ELEMENTS, key.public_key(), form) == replace(OURS, signed_info=form)
    other = "iso20.wpt" if form != "iso2" else "iso20.common"
    refused(seal(info, other, key), ELEMENTS, key.public_key(), form, text="not made with the certificate's key")


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ({"id1": {ONE: ""}}, "'#id2' refers to nothing that is to be signed"),
        ({**ELEMENTS, "id3": {ONE: ""}}, "'#id3' is not signed"),
        ({**ELEMENTS, "": {ONE: ""}}, "'#' is not signed"),
        ({"id1": {ONE: ""}, "id3": {TWO: ""}}, "'#id2' refers to nothing that is to be signed"),
        ({}, "'#id1' refers to nothing that is to be signed"),
        ({"id1": {ONE: ""}, "id2": {ONE: ""}}, "'#id2' was changed"),
        ({"id1": {TWO: ""}, "id2": {ONE: ""}}, "'#id1' was changed"),
        ({"id1": {ONE: ""}, "id2": {}}, "'#id2' was changed"),
    ],
)
def test_elements_and_references_match_one_to_one(elements: dict[str, dict[bytes, str]], text: str) -> None:
    refused(SIGNED, elements, text=text)


def first(info: SignedInfo, **changes: Any) -> SignedInfo:
    """Change the first reference."""
    return replace(info, Reference=[replace(info.Reference[0], **changes), *info.Reference[1:]])


LONG = 4_000 * "x"


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (replace(INFO, Id="x"), "SignedInfo has an Id"),
        (replace(INFO, CanonicalizationMethod=CanonicalizationMethod(Algorithm=C14N)), "CanonicalizationMethod is"),
        (replace(INFO, SignatureMethod=SignatureMethod(Algorithm=HMAC)), "SignatureMethod is"),
        (replace(INFO, SignatureMethod=SignatureMethod(Algorithm=ECDSA_512)), "SignatureMethod is"),
        (replace(INFO, SignatureMethod=SignatureMethod(Algorithm=LONG)), "SignatureMethod is"),
        (replace(INFO, Reference=INFO.Reference * 3), "6 references, not 1 to 4"),
        (replace(INFO, Reference=[INFO.Reference[0]] * 2), "'#id1' is referred to 2 times"),
        (replace(INFO, Reference=[*INFO.Reference, INFO.Reference[0]]), "'#id1' is referred to 2 times"),
        (first(INFO, URI=None), "None refers to nothing that is to be signed"),
        (first(INFO, URI="id1"), "'id1' refers to nothing"),
        (first(INFO, URI=""), "'' refers to nothing"),
        (first(INFO, URI="#"), "'#' refers to nothing"),
        (first(INFO, URI="#" + LONG), "refers to nothing"),
        (first(INFO, Type="http://www.w3.org/2000/09/xmldsig#Manifest"), "'#id1' has a Type"),
        (first(INFO, Transforms=None), "'#id1' has 0 transforms (), not EXI alone"),
        (first(INFO, Transforms=transformed(C14N)), "'#id1' has 1 transforms"),
        (first(INFO, Transforms=transformed(EXI, EXI)), "'#id1' has 2 transforms"),
        (first(INFO, Transforms=transformed(*["x" * 900] * 900)), "'#id1' has 900 transforms"),
        (first(INFO, DigestMethod=DigestMethod(Algorithm=SHA1)), "'#id1' is digested by"),
        (
            first(INFO, DigestMethod=DigestMethod(Algorithm=SHA1), DigestValue=hashlib.sha1(ONE).digest()),
            "'#id1' is digested by",
        ),
        (
            first(INFO, DigestMethod=DigestMethod(Algorithm=SHA512), DigestValue=hashlib.sha512(ONE).digest()),
            "'#id1' is digested by",
        ),
        (first(INFO, DigestValue=hashlib.sha1(ONE).digest()), "'#id1' was changed"),
        (first(INFO, DigestValue=hashlib.sha256(ONE).digest()[:31]), "'#id1' was changed"),
        (first(INFO, DigestValue=b""), "'#id1' was changed"),
    ],
)
def test_forbidden_forms_are_refused_though_the_value_fits(info: SignedInfo, text: str) -> None:
    refused(seal(info), text=text)


def test_a_signature_over_nothing_is_refused() -> None:
    refused(replace(SIGNED, SignedInfo=replace(INFO, Reference=[])), {}, text="0 references, not 1 to 4")


R, S = RAW[:32], RAW[32:]
N = ORDER.to_bytes(32)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (der(RAW), "bytes, not 64 as of secp256r1, raw"),
        (RAW[:63], "SignatureValue of 63 bytes"),
        (RAW + b"\x00", "SignatureValue of 65 bytes"),
        (b"", "SignatureValue of 0 bytes"),
        (bytes(32) + S, "outside the curve's order"),
        (R + bytes(32), "outside the curve's order"),
        (N + S, "outside the curve's order"),
        (R + N, "outside the curve's order"),
        (b"\xff" * 64, "outside the curve's order"),
        (S + R, "not made with the certificate's key"),
    ],
    ids=["der", "short", "long", "none", "r zero", "s zero", "r order", "s order", "ones", "swapped"],
)
def test_values_that_are_no_signature(value: bytes, text: str) -> None:
    refused(replace(SIGNED, SignatureValue=SignatureValue(value=value)), text=text)


def test_nothing_may_be_carried_inside() -> None:
    refused(replace(SIGNED, KeyInfo=KeyInfo()), text="KeyInfo is forbidden")
    refused(replace(SIGNED, Object=[Object()]), text="Object is forbidden")
    refused(replace(SIGNED, SignatureValue=SignatureValue(value=RAW, Id="x")), text="SignatureValue has an Id")


OTHERS: dict[str, Any] = {
    "secp384r1": ec.generate_private_key(ec.SECP384R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "secp521r1": P521_KEY,
    "ed448": ED448_KEY,
    "RSA": rsa.generate_private_key(65_537, 2_048),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_keys_sign_and_verify_nothing(name: str) -> None:
    refused(SIGNED, key=OTHERS[name].public_key(), text=", not secp256r1")
    with pytest.raises(ValueError, match=r"cannot sign; iso2 wants secp256r1$"):
        sign([("a", ONE)], OTHERS[name], "iso2")


def test_what_is_no_public_key_verifies_nothing() -> None:
    refused(SIGNED, key=None, text="the certificate's key is NoneType, not secp256r1")
    refused(SIGNED, key=KEY, text="not made with the certificate's key")


def test_another_key_of_the_curve_does_not_fit() -> None:
    refused(SIGNED, key=ec.generate_private_key(ec.SECP256R1()).public_key(), text="not made with the certificate's")


def test_a_signature_of_one_protocol_is_none_of_the_other() -> None:
    refused(SIGNED, message_set="iso20.common", text="key is secp256r1, not secp521r1 or ed448")
    later = sign([("id1", ONE)], P521_KEY, "iso20.common")
    refused(later, {"id1": {ONE: ""}}, P521_KEY.public_key(), text="key is secp521r1, not secp256r1")


def test_algorithms_follow_from_the_key_not_from_the_sender() -> None:
    """Each of the two -20 suites is refused under the other's key, whatever SignedInfo says."""
    one = sign([("id1", ONE), ("id2", TWO)], P521_KEY, "iso20.common")
    two = sign([("id1", ONE), ("id2", TWO)], ED448_KEY, "iso20.common")
    refused(one, key=ED448_KEY.public_key(), message_set="iso20.common", text="SignatureMethod is")
    refused(two, key=P521_KEY.public_key(), message_set="iso20.common", text="SignatureMethod is")
    mixed = replace(two, SignedInfo=one.SignedInfo)
    refused(mixed, key=P521_KEY.public_key(), message_set="iso20.common", text="SignatureValue of 114 bytes")


def test_the_identifier_of_another_standard_is_refused() -> None:
    signature = sign([("id1", ONE), ("id2", TWO)], ED448_KEY, "iso20.common")
    info = replace(signature.SignedInfo, SignatureMethod=SignatureMethod(Algorithm=EDDSA))
    value = ED448_KEY.sign(schema("xmldsig").encode_fragment(info))
    sealed = Signature(SignedInfo=info, SignatureValue=SignatureValue(value=value))
    refused(sealed, key=ED448_KEY.public_key(), message_set="iso20.common", text=f"SignatureMethod is '{EDDSA}'")


def test_other_suites_pass_only_where_we_say_so() -> None:
    """Josev signs -20 messages as in -2."""
    josev = sign([("id1", ONE), ("id2", TWO)], KEY, "iso20.common", suites=[P256])
    assert verify(josev, ELEMENTS, PUBLIC, "iso20.common", suites=[*SUITES["iso20"], P256]) == OURS
    refused(josev, message_set="iso20.common", text="key is secp256r1, not secp521r1 or ed448")
    with pytest.raises(Untrusted, match="not none"):
        verify(josev, ELEMENTS, PUBLIC, "iso20.common", suites=[])


def test_each_protocol_has_the_suites_of_the_references() -> None:
    def facts(suite: Suite) -> tuple[str, str, str, str, int]:
        return suite.key, suite.method, suite.digest, suite.hash.name, suite.size

    known = {key: (key, made.method, made.digest, made.hash, made.size) for key, made in KINDS.items()}
    assert [facts(suite) for suite in suites_of("iso2")] == [known["secp256r1"]]
    assert [facts(suite) for suite in suites_of("iso20.acdp")] == [known["secp521r1"], known["ed448"]]
    for unsigned in ("din", "sap", "xmldsig", ""):
        with pytest.raises(ValueError, match="are not signed"):
            suites_of(unsigned)


def test_whatever_goes_wrong_is_a_refusal() -> None:
    refused(None, text="its check failed with AttributeError")
    refused(SIGNED, message_set="no such schema", text="its check failed with ValueError")
    refused(SIGNED, {"id1": None, "id2": None}, text="its check failed with AttributeError")
    refused(replace(SIGNED, SignedInfo=replace(INFO, Reference=[None])), text="its check failed with")
    refused(replace(SIGNED, SignatureValue=replace(SIGNED.SignatureValue, value=None)), text="its check failed with")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_only_the_signed_bytes_verify(one: bytes, two: bytes) -> None:
    made = sign([("a", one)], KEY, "iso2")
    assert verify(made, {"a": {one: "ours"}}, PUBLIC, "iso2").elements == {"#a": "ours"}
    if one != two:
        refused(made, {"a": {two: "ours"}}, text="'#a' was changed")


@needs_reference
def test_digests_of_captured_messages_are_ours() -> None:
    """Tariffs signed by real stations; their certificates are not on the wire, so the value itself stays unchecked."""
    with gzip.open(REFERENCE / "frames" / "real-cars.jsonl.gz", "rt") as lines:
        frames = [json.loads(line) for line in lines]
    algorithm = f"{int.from_bytes(EXI.encode()):b}"
    found = 0
    for data in (bytes.fromhex(frame["exi"]) for frame in frames if frame["protocol"] == "iso2"):
        if algorithm not in f"{int.from_bytes(data):b}":
            continue
        received: Any = schema("iso2").decode(data)
        tariffs = [each.SalesTariff for each in received.Body.BodyElement.SASchedules.SAScheduleTuple]
        digests = {
            f"#{tariff.Id}": hashlib.sha256(schema("iso2").encode_fragment(tariff)).digest() for tariff in tariffs
        }
        assert digests == {each.URI: each.DigestValue for each in received.Header.Signature.SignedInfo.Reference}
        found += 1
    assert found


def test_an_hmac_length_does_not_decode() -> None:
    """Cutting the checked part of a value short was CVE-2009-0217; such a SignedInfo does not even reach the check."""
    good = signed_info("#id1", bytes(32))
    schema("xmldsig").decode_fragment(good)
    # Before it stand header, SE SignedInfo, SE CanonicalizationMethod, and for the two methods: their attribute's code
    # and text, of the first also SE(*)|EE|CH and SE SignatureMethod.
    place = 8 + 6 + 2 + (1 + 8 * (1 + len(EXI))) + 2 + 1 + (1 + 8 * (1 + len(ECDSA)))
    bits = f"{int.from_bytes(good):0{8 * len(good)}b}"
    assert bits[place : place + 3] == "010"
    cut = bits[:place] + "000" + bits[place + 3 :]
    with pytest.raises(Undecodable, match="HMACOutputLength"):
        schema("xmldsig").decode_fragment(int(cut, 2).to_bytes(len(good)))


@pytest.mark.parametrize(
    "names", [[], ["a", "b", "c", "d", "e"], ["a", "a"], [""]], ids=["none", "five", "twice", "unnamed"]
)
def test_what_cannot_be_signed(names: Sequence[str]) -> None:
    with pytest.raises(ValueError, match="cannot sign elements with the Ids"):
        sign([(name, ONE) for name in names], KEY, "iso2")
