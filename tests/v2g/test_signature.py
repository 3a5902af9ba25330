"""Signatures against bits derived by hand, another stack's signature, and the openssl command line."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from v2g.errors import Untrusted
from v2g.messages.xmldsig import (
    CanonicalizationMethod,
    DigestMethod,
    KeyInfo,
    Object,
    Signature,
    SignatureMethod,
    SignatureValue,
    SignedInfo,
    Transform,
    Transforms,
)
from v2g.protocols import schema
from v2g.signature import ORDER, sign, verify

EXI = "http://www.w3.org/TR/canonical-exi/"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key()
ONE, TWO = b"the fragment of one element", b"the fragment of another"
SIGNED = sign([("id1", ONE), ("id2", TWO)], KEY)
ELEMENTS: dict[str, Sequence[bytes]] = {"id1": [ONE], "id2": [TWO]}


def value(number: int, width: int) -> str:
    """Write an event code."""
    return f"{number:0{width}b}"


def text(characters: str) -> str:
    """Write a string that is not in the table: its length plus 2, then the characters, all below 128."""
    return value(len(characters) + 2, 8) + "".join(value(ord(character), 8) for character in characters)


def signed_info(uri: str, digest: bytes) -> bytes:
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
    bits += value(0, 1) + text(ECDSA)  # {AT Algorithm}
    bits += value(2, 3)  # {SE HMACOutputLength, SE(*), EE, CH}
    bits += value(0, 1)  # {SE Reference}
    bits += value(2, 3) + text(uri)  # Reference {AT Id, AT Type, AT URI, SE Transforms, SE DigestMethod}
    bits += value(0, 2)  # {SE Transforms, SE DigestMethod}
    bits += value(0, 1)  # {SE Transform}
    bits += value(0, 1) + text(EXI)  # {AT Algorithm}; the same string again, since the table keeps none [V2G2-099]
    bits += value(2, 3)  # {SE XPath, SE(*), EE, CH}
    bits += value(1, 2)  # Transforms {SE Transform, EE}
    bits += value(0, 1)  # {SE DigestMethod}
    bits += value(0, 1) + text(SHA256)  # {AT Algorithm}
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
    foreign = replace(sign([("id1", Josev.fragment)], KEY), SignatureValue=SignatureValue(value=Josev.value))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), Josev.public_key)
    assert verify(foreign, {"id1": [Josev.fragment]}, public) == "xmldsig"
    refused(foreign, {"id1": [Josev.fragment]}, PUBLIC, text="not made with the certificate's key")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")
def test_openssl_verifies_our_signature_over_the_bits_by_hand(tmp_path: Path) -> None:
    raw = sign([("id1", ONE)], KEY).SignatureValue.value
    files = {
        "key.pem": PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "value.der": encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])),
        "signed": signed_info("#id1", hashlib.sha256(ONE).digest()),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "value.der", "signed"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"
    (tmp_path / "signed").write_bytes(files["signed"][:-1])
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_what_we_sign_is_what_the_standard_prescribes() -> None:
    info = SIGNED.SignedInfo
    assert (info.CanonicalizationMethod.Algorithm, info.SignatureMethod.Algorithm) == (EXI, ECDSA)
    assert [reference.URI for reference in info.Reference] == ["#id1", "#id2"]
    for reference, fragment in zip(info.Reference, (ONE, TWO), strict=True):
        assert reference.Transforms is not None
        assert [transform.Algorithm for transform in reference.Transforms.Transform] == [EXI]
        assert reference.DigestMethod.Algorithm == SHA256
        assert reference.DigestValue == hashlib.sha256(fragment).digest()
    assert (SIGNED.KeyInfo, SIGNED.Object, info.Id, SIGNED.SignatureValue.Id) == (None, [], None, None)
    assert len(SIGNED.SignatureValue.value) == 64


def test_our_own_signature_verifies_in_any_order() -> None:
    assert verify(SIGNED, ELEMENTS, PUBLIC) == "xmldsig"
    assert verify(SIGNED, dict(reversed(ELEMENTS.items())), PUBLIC) == "xmldsig"


def test_the_values_have_fixed_width() -> None:
    """One r in 256 is shorter than 32 bytes; it is padded."""
    signature = next(
        made for made in (sign([("a", ONE)], KEY) for _ in range(20_000)) if not made.SignatureValue.value[0]
    )
    assert len(signature.SignatureValue.value) == 64
    assert verify(signature, {"a": [ONE]}, PUBLIC) == "xmldsig"


def test_an_alternative_encoding_of_an_element_is_accepted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert verify(SIGNED, {"id1": [b"another form", ONE], "id2": [TWO]}, PUBLIC) == "xmldsig"
    assert "#id1 was digested in the alternative encoding 1" in caplog.text


def seal(info: SignedInfo, form: str = "xmldsig") -> Signature:
    """Sign any SignedInfo, also one that we would never send, encoded with the schema `form`."""
    r, s = decode_dss_signature(KEY.sign(schema(form).encode_fragment(info), ec.ECDSA(hashes.SHA256())))
    return Signature(SignedInfo=info, SignatureValue=SignatureValue(value=r.to_bytes(32) + s.to_bytes(32)))


def refused(
    signature: Any, elements: Mapping[str, Sequence[bytes]] = ELEMENTS, key: Any = PUBLIC, *, text: str
) -> None:
    """Verify a signature that must not pass, for the given reason."""
    with pytest.raises(Untrusted) as caught:
        verify(signature, elements, key)
    assert text in str(caught.value)


def test_signed_info_of_the_message_schema_is_accepted_only_if_asked_for() -> None:
    alternative = seal(SIGNED.SignedInfo, "iso2")
    assert verify(alternative, ELEMENTS, PUBLIC, forms=("xmldsig", "iso2")) == "iso2"
    refused(alternative, text="not made with the certificate's key")


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ({"id1": [ONE]}, "they name ['#id1', '#id2'], to be signed are ['#id1']"),
        ({**ELEMENTS, "id3": [ONE]}, "to be signed are ['#id1', '#id2', '#id3']"),
        ({"id1": [ONE], "id3": [TWO]}, "to be signed are ['#id1', '#id3']"),
        ({}, "to be signed are []"),
        ({"id1": [ONE], "id2": [ONE]}, "#id2 was changed"),
        ({"id1": [TWO], "id2": [ONE]}, "#id1 was changed"),
        ({"id1": [ONE], "id2": []}, "#id2 was changed"),
    ],
)
def test_elements_and_references_match_one_to_one(elements: dict[str, list[bytes]], text: str) -> None:
    refused(SIGNED, elements, text=text)


def first(info: SignedInfo, **changes: Any) -> SignedInfo:
    """Change the first reference."""
    return replace(info, Reference=[replace(info.Reference[0], **changes), *info.Reference[1:]])


def transformed(*algorithms: str) -> Transforms:
    return Transforms(Transform=[Transform(Algorithm=algorithm) for algorithm in algorithms])


INFO = SIGNED.SignedInfo
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
HMAC = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"


@pytest.mark.parametrize(
    ("info", "text"),
    [
        (replace(INFO, Id="x"), "SignedInfo has an Id"),
        (replace(INFO, CanonicalizationMethod=CanonicalizationMethod(Algorithm=C14N)), "CanonicalizationMethod is"),
        (replace(INFO, SignatureMethod=SignatureMethod(Algorithm=HMAC)), "SignatureMethod is"),
        (replace(INFO, Reference=INFO.Reference * 3), "6 references, not 1 to 4"),
        (replace(INFO, Reference=[INFO.Reference[0]] * 2), "they name ['#id1', '#id1']"),
        (replace(INFO, Reference=[*INFO.Reference, INFO.Reference[0]]), "they name ['#id1', '#id1', '#id2']"),
        (first(INFO, URI=None), "they name"),
        (first(INFO, URI="id1"), "they name"),
        (first(INFO, URI=""), "they name"),
        (first(INFO, Type="http://www.w3.org/2000/09/xmldsig#Manifest"), "#id1 has a Type"),
        (first(INFO, Transforms=None), "#id1 is not transformed by EXI once, but by []"),
        (first(INFO, Transforms=transformed(C14N)), "not transformed by EXI once"),
        (first(INFO, Transforms=transformed(EXI, EXI)), "not transformed by EXI once"),
        (first(INFO, DigestMethod=DigestMethod(Algorithm=SHA1)), "#id1 is digested by"),
        (
            first(INFO, DigestMethod=DigestMethod(Algorithm=SHA1), DigestValue=hashlib.sha1(ONE).digest()),
            "#id1 is digested by",
        ),
        (first(INFO, DigestValue=hashlib.sha1(ONE).digest()), "#id1 was changed"),
        (first(INFO, DigestValue=hashlib.sha256(ONE).digest()[:31]), "#id1 was changed"),
        (first(INFO, DigestValue=b""), "#id1 was changed"),
    ],
)
def test_forbidden_forms_are_refused_though_the_value_fits(info: SignedInfo, text: str) -> None:
    refused(seal(info), text=text)


RAW = SIGNED.SignatureValue.value
R, S = RAW[:32], RAW[32:]
N = ORDER.to_bytes(32)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (encode_dss_signature(int.from_bytes(R), int.from_bytes(S)), "not r and s of 32 each"),
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
)
def test_values_that_are_no_signature(value: bytes, text: str) -> None:
    refused(replace(SIGNED, SignatureValue=SignatureValue(value=value)), text=text)


def test_nothing_may_be_carried_inside() -> None:
    refused(replace(SIGNED, KeyInfo=KeyInfo()), text="KeyInfo is forbidden")
    refused(replace(SIGNED, Object=[Object()]), text="Object is forbidden")
    refused(replace(SIGNED, SignatureValue=SignatureValue(value=RAW, Id="x")), text="SignatureValue has an Id")


@pytest.mark.parametrize("key", [ed448.Ed448PrivateKey, None, ec.SECP384R1, ec.SECP256K1])
def test_other_keys_verify_nothing(key: Any) -> None:
    other = ec.generate_private_key(key()) if key in (ec.SECP384R1, ec.SECP256K1) else key and key.generate()
    refused(SIGNED, key=other and other.public_key(), text="not on secp256r1")


def test_another_key_of_the_curve_does_not_fit() -> None:
    refused(SIGNED, key=ec.generate_private_key(ec.SECP256R1()).public_key(), text="not made with the certificate's")


def test_whatever_goes_wrong_is_a_refusal() -> None:
    refused(None, text="its check failed with AttributeError")
    with pytest.raises(Untrusted, match="its check failed with"):
        verify(SIGNED, ELEMENTS, PUBLIC, forms=("no such schema",))
    with pytest.raises(Untrusted):
        verify(SIGNED, ELEMENTS, PUBLIC, forms=())


@given(st.integers(0, 511))
def test_any_changed_bit_of_the_value_is_noticed(bit: int) -> None:
    value = (int.from_bytes(RAW) ^ 1 << bit).to_bytes(64)
    refused(replace(SIGNED, SignatureValue=SignatureValue(value=value)), text="signature")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_only_the_signed_bytes_verify(one: bytes, two: bytes) -> None:
    made = sign([("a", one)], KEY)
    assert verify(made, {"a": [one]}, PUBLIC) == "xmldsig"
    if one != two:
        refused(made, {"a": [two]}, text="#a was changed")


@pytest.mark.parametrize(
    "names", [[], ["a", "b", "c", "d", "e"], ["a", "a"], [""]], ids=["none", "five", "twice", "unnamed"]
)
def test_what_cannot_be_signed(names: list[str]) -> None:
    with pytest.raises(ValueError, match="cannot sign elements with the Ids"):
        sign([(name, ONE) for name in names], KEY)


def test_a_key_of_another_curve_does_not_sign() -> None:
    with pytest.raises(ValueError, match="secp384r1 cannot sign"):
        sign([("a", ONE)], ec.generate_private_key(ec.SECP384R1()))


def test_the_order_is_that_of_the_curve() -> None:
    """The order times the base point is the point at infinity: its last multiple is the base point, mirrored."""
    last = ec.derive_private_key(ORDER - 1, ec.SECP256R1()).public_key().public_numbers()
    base = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    assert last.x == base.x
    assert last.y != base.y
