"""Delivered contract keys: against what the openssl command computed, against openssl itself, and against changes."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Untrusted
from v2g.keywrap.derivation import DERIVATIONS, Derivation, derivation
from v2g.keywrap.iso2 import CURVE, unwrap, wrap
from v2g.keywrap.wrapped import WrappedKey


def named(name: str) -> ec.EllipticCurvePrivateKey:
    """The key whose scalar is the SHA-256 of a name: nobody's."""
    return ec.derive_private_key(int.from_bytes(sha256(name.encode()).digest()), CURVE)


RECEIVER, CONTRACT = named("receiver"), named("contract")
# Made by the openssl command alone: pkeyutl -derive with the key "sender", dgst -sha256 over 00000001 | Z | 015556,
# enc -aes-128-cbc -nopad over the scalar of "contract", with the IV in front.
VECTOR = WrappedKey(
    encrypted=bytes(range(16)) + bytes.fromhex("def47ce38d3532e305bb283f8f55fe9ea71841a8a902ab79658056949690f6c6"),
    sender=bytes.fromhex(
        "0428f111b0ce44c4be7581b07bca9319f1734af9aacc2d3321d698a561127dc6"
        "62c5a80e310ac0be468536a1cc6e83e8fac4ae45153a08d5d729f767ced34c4ba0"
    ),
)


def test_openssls_delivery_opens() -> None:
    assert unwrap(VECTOR, RECEIVER, CONTRACT.public_key()).key.private_numbers() == CONTRACT.private_numbers()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_openssl_opens_ours(tmp_path: Path) -> None:
    wrapped = wrap(CONTRACT, RECEIVER.public_key())
    assert (len(wrapped.encrypted), len(wrapped.sender), wrapped.sender[0]) == (48, 65, 4)
    sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, wrapped.sender)
    receiver_file, sender_file = tmp_path / "receiver.pem", tmp_path / "sender.pem"
    receiver_file.write_bytes(RECEIVER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    sender_file.write_bytes(sender.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def openssl(*words: str, data: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout

    shared = openssl("pkeyutl", "-derive", "-inkey", str(receiver_file), "-peerkey", str(sender_file))
    key = openssl("dgst", "-sha256", "-binary", data=b"\0\0\0\1" + shared + b"\x01\x55\x56")[:16]
    iv, encrypted = wrapped.encrypted[:16], wrapped.encrypted[16:]
    words = ("enc", "-d", "-aes-128-cbc", "-nopad", "-K", key.hex(), "-iv", iv.hex())
    assert openssl(*words, data=encrypted) == sha256(b"contract").digest()


def test_no_iv_and_no_sender_comes_twice() -> None:
    several = [wrap(CONTRACT, RECEIVER.public_key()) for _ in range(8)]
    assert len({each.encrypted[:16] for each in several}) == len({each.sender for each in several}) == 8


def test_a_small_scalar_keeps_its_zeros() -> None:
    small = ec.derive_private_key(7, CURVE)
    opened = unwrap(wrap(small, RECEIVER.public_key()), RECEIVER, small.public_key())
    assert opened.key.private_numbers().private_value == 7


def test_a_key_of_another_certificate_is_refused() -> None:
    with pytest.raises(Untrusted, match="not the key of the contract certificate"):
        unwrap(VECTOR, RECEIVER, named("another").public_key())


def test_a_delivery_for_somebody_else_is_refused() -> None:
    with pytest.raises(Untrusted, match="contract key"):
        unwrap(VECTOR, named("another"), CONTRACT.public_key())


@pytest.mark.parametrize("each", DERIVATIONS, ids=lambda each: each.name)
def test_opening_tells_the_derivation(each: Derivation) -> None:
    wrapped = wrap(CONTRACT, RECEIVER.public_key(), each)
    opened = unwrap(wrapped, RECEIVER, CONTRACT.public_key(), DERIVATIONS)
    assert opened.key.private_numbers() == CONTRACT.private_numbers()
    # SHA-256 is the hash of -2 anyway.
    assert opened.derivation == each.name.removesuffix("-sha256")


def test_the_vehicle_takes_the_standards_derivation_alone() -> None:
    with pytest.raises(Untrusted, match="contract key"):
        unwrap(wrap(CONTRACT, RECEIVER.public_key(), derivation("x963-empty")), RECEIVER, CONTRACT.public_key())


@given(st.integers(0, 48 * 8 - 1))
def test_any_changed_bit_is_noticed(bit: int) -> None:
    changed = bytearray(VECTOR.encrypted)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Untrusted, match="contract key"):
        unwrap(WrappedKey(bytes(changed), VECTOR.sender), RECEIVER, CONTRACT.public_key())


COMPRESSED = CONTRACT.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


@pytest.mark.parametrize(
    ("encrypted", "sender", "why"),
    [
        (VECTOR.encrypted[:-1], VECTOR.sender, "47 bytes"),
        (VECTOR.encrypted + bytes(16), VECTOR.sender, "64 bytes"),
        (b"", VECTOR.sender, "0 bytes"),
        (VECTOR.encrypted, b"", "DHpublickey has 0 bytes"),
        (VECTOR.encrypted, COMPRESSED, "DHpublickey has 33 bytes"),
        (VECTOR.encrypted, b"\x04" + bytes(64), "no point"),
        (VECTOR.encrypted, bytes(65), "no point"),
        (VECTOR.encrypted, VECTOR.sender[:-1] + b"\xa1", "no point"),
    ],
)
def test_wrong_shapes_are_named(encrypted: bytes, sender: bytes, why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        unwrap(WrappedKey(encrypted, sender), RECEIVER, CONTRACT.public_key())


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_garbage_is_untrusted_and_nothing_else(encrypted: bytes, sender: bytes) -> None:
    with pytest.raises(Untrusted):
        unwrap(WrappedKey(encrypted, sender), RECEIVER, CONTRACT.public_key())


def test_other_curves_are_our_own_mistake() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(ValueError, match="secp384r1"):
        wrap(other, RECEIVER.public_key())
    with pytest.raises(ValueError, match="receiver"):
        wrap(CONTRACT, other.public_key())
    with pytest.raises(ValueError, match="secp384r1"):
        unwrap(VECTOR, other, CONTRACT.public_key())


def test_no_secret_is_shown() -> None:
    """Neither the errors nor what is sent show the scalar."""
    with pytest.raises(Untrusted) as refused:
        unwrap(VECTOR, RECEIVER, named("another").public_key())
    assert sha256(b"contract").hexdigest() not in f"{refused.value} {VECTOR!r}"
