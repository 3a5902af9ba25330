"""Delivered contract keys of -20: against what openssl made, against openssl itself, and against changes."""

from __future__ import annotations

from hashlib import shake_256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x448
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.keywrap import openssl
from v2g.errors import Untrusted
from v2g.keywrap import ed448_secret
from v2g.keywrap.additional import READINGS, Reading, reading, readings
from v2g.keywrap.agreement import agree
from v2g.keywrap.derivation import DERIVATIONS, STANDARD, Derivation, derivation
from v2g.keywrap.ed448_secret import Ed448Form
from v2g.keywrap.iso20 import CURVE, unwrap, wrap
from v2g.keywrap.wrapped import WrappedKey

needs_openssl = pytest.mark.skipif(openssl.MISSING, reason="needs the openssl command")
PCID = "WMIPLUGCHARGE0001X"
SKI = bytes.fromhex("4A5B6C7D8E9F0A1B")
ADDITIONAL = readings(PCID, SKI)
PROTECTED = b"WMIPLUGCHARGE0001X4A5B6C7D8E9F0A1B"


def on_p521(name: str) -> ec.EllipticCurvePrivateKey:
    """A key that follows from a name: nobody's."""
    return ec.derive_private_key(int.from_bytes(shake_256(name.encode()).digest(65)), CURVE)


def on_x448(name: str) -> x448.X448PrivateKey:
    return x448.X448PrivateKey.from_private_bytes(shake_256(name.encode()).digest(56))


CONTRACT = on_p521("contract")
EDWARDS = ed448.Ed448PrivateKey.from_private_bytes(shake_256(b"contract").digest(56) + b"\0")
# Made by the openssl command (pkeyutl, kdf SSKDF, enc) and the GHASH of tests.v2g.keywrap.openssl, from the keys
# "sender" and "receiver", the IV 00 to 0b and the additional data above.
P521 = WrappedKey(
    encrypted=bytes(range(12))
    + bytes.fromhex(
        "5ca84ffaa458e03fd908f2e36baeb2a9e9e43ea7298eb34be04fa20e1a904df334c5b22fe4060e9a104847d8a2f150da99fff8248dd1"
        "5f74ca704ac1fde1dd4dc568230093b48a7505efc742bf0cc598f9ce"
    ),
    sender=bytes.fromhex(
        "0400af480d72213d601c970286607d9710837f2a1bd4e504902ad67f45cfc1c29206a97e09b542c6082544bc1f30404fa567a49e3829"
        "c5256c5d70844208163e50124500d9a4eee8749aebe754b5dae911b854220344fa3473ce1df1c4b86f0ff3654de0e84b04682f12e3b3"
        "78f82d9f26b06c63cc3ec741708fdf1cbdeba730e7849dba8a"
    ),
)
X448 = WrappedKey(
    encrypted=bytes(range(12))
    + bytes.fromhex(
        "43ba4453e598839c3e64cfb2e9c76eac73bcc3aa644d087aff71eb10808ec517c743cc5dca44baf57a3a0365cbfd37d884905c1159bb"
        "d63999b8739d287512d0120e08422815c432"
    ),
    sender=bytes.fromhex(
        "72fa66fc22b7233f655334be94aa48172b0f863f5aa31cc7013454f1f543f7b8907f5a8225c622283d57a143f0edbe996a156831ced6a7b4"
    ),
)


def test_openssls_delivery_on_p521_opens() -> None:
    assert (len(P521.encrypted), len(P521.sender)) == (94, 133)
    opened = unwrap(P521, on_p521("receiver"), CONTRACT.public_key(), ADDITIONAL)
    assert isinstance(opened.key, ec.EllipticCurvePrivateKey)
    assert opened.key.private_numbers() == CONTRACT.private_numbers()
    assert str(opened) == "key derivation concat-015556, additional data ski"


def test_openssls_delivery_on_x448_opens() -> None:
    """What is encrypted is 56 octets; read as the seed of an Ed448 key without its last octet they are this key."""
    assert (len(X448.encrypted), len(X448.sender)) == (84, 56)
    opened = unwrap(X448, on_x448("receiver"), EDWARDS.public_key(), ADDITIONAL, experimental=True)
    assert opened.key.public_key() == EDWARDS.public_key()
    assert opened.form == Ed448Form.SHORT


@needs_openssl
def test_the_gcm_of_the_tests_is_nists() -> None:
    """Cases 14 and 16 of the GCM specification."""
    assert openssl.gcm(bytes(32), bytes(12), bytes(16), b"").hex() == (
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    )
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    additional = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    tag = openssl.gcm(key, bytes.fromhex("cafebabefacedbaddecaf888"), plain, additional)[-16:]
    assert tag.hex() == "76fc6ece0f4e1768cddf8853bb2d551b"


@needs_openssl
@pytest.mark.parametrize("on", ["p521", "x448"])
def test_openssl_makes_what_we_send(tmp_path: Path, on: str) -> None:
    """From the secret of the receiver openssl comes to the very bytes we encrypted."""
    receiver = on_p521("receiver") if on == "p521" else on_x448("receiver")
    if on == "p521":
        wrapped = wrap(CONTRACT, on_p521("receiver").public_key(), PROTECTED)
        sender: ec.EllipticCurvePublicKey | x448.X448PublicKey
        sender = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, wrapped.sender)
        plain = CONTRACT.private_numbers().private_value.to_bytes(66)
    else:
        wrapped = wrap(EDWARDS, on_x448("receiver").public_key(), PROTECTED, form=Ed448Form.SHORT)
        sender = x448.X448PublicKey.from_public_bytes(wrapped.sender)
        plain = shake_256(b"contract").digest(56)
    (tmp_path / "own").write_bytes(receiver.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "peer").write_bytes(sender.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    secret = openssl.agreed(tmp_path / "own", tmp_path / "peer")
    key = openssl.derived("SSKDF", secret, b"\x01\x55\x56", "SHA512", 32)
    iv = wrapped.encrypted[:12]
    assert wrapped.encrypted[12:] == openssl.gcm(key, iv, plain, PROTECTED)


FUNCTIONS = {"concat": "SSKDF", "x963": "X963KDF"}


@needs_openssl
@pytest.mark.parametrize("each", DERIVATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize(("digest", "size"), [("SHA256", 16), ("SHA512", 32)])
def test_the_derivations_are_openssls(each: Derivation, digest: str, size: int) -> None:
    secret = shake_256(b"secret").digest(66)
    own = {"SHA256": SHA256(), "SHA512": SHA512()}[digest]
    used = "SHA256" if each.hash else digest
    wanted = openssl.derived(FUNCTIONS[each.function], secret, each.info, used, size)
    assert each.derive(secret, own, size) == wanted


def test_additional_data_in_words() -> None:
    """Written out by hand: the lengths are those the sources give, where they give one."""
    long = bytes(range(0xA0, 0xB4))
    made = {each.name: each.make("wmi-plugcharge0001x", long) for each in READINGS}
    assert made == {
        "ski": b"WMIPLUGCHARGE0001XA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3",
        "ski8": b"WMIPLUGCHARGE0001X4CADAEAFB0B1B2B3",
        "raw16": b"WMIPLUGCHARGE0001X" + long[:16],
        "raw": b"WMIPLUGCHARGE0001X" + long,
        "pcid17": b"WMIPLUGCHARGE0001A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3",
        "none": b"",
    }
    assert [len(made[name]) for name in ("ski", "ski8", "raw16")] == [58, 34, 34]
    assert readings(PCID, SKI)[PROTECTED] == "ski"


@pytest.mark.parametrize("each", DERIVATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("additional", READINGS, ids=lambda each: each.name)
def test_opening_tells_the_variant(each: Derivation, additional: Reading) -> None:
    ski = bytes(range(20))
    wrapped = wrap(CONTRACT, on_p521("receiver").public_key(), additional.make(PCID, ski), each)
    opened = unwrap(wrapped, on_p521("receiver"), CONTRACT.public_key(), readings(PCID, ski), DERIVATIONS)
    assert (opened.derivation, opened.additional) == (each.name, additional.name)
    if each is not STANDARD:
        with pytest.raises(Untrusted, match="V2G20-2504"):
            unwrap(wrapped, on_p521("receiver"), CONTRACT.public_key(), readings(PCID, ski))


def test_names_of_variants() -> None:
    assert derivation("x963-empty").info == b""
    with pytest.raises(ValueError, match="known are concat-015556, concat-empty"):
        derivation("x")
    assert reading("none").make(PCID, SKI) == b""
    with pytest.raises(ValueError, match="known are ski, ski8"):
        reading("x")


def test_a_key_that_is_not_the_certificates_is_never_handed_out() -> None:
    with pytest.raises(Untrusted, match="not the key of the contract certificate"):
        unwrap(P521, on_p521("receiver"), on_p521("another").public_key(), ADDITIONAL)
    other = ed448_secret.generate().public_key()
    with pytest.raises(Untrusted, match="not the key of the contract certificate"):
        unwrap(X448, on_x448("receiver"), other, ADDITIONAL, experimental=True)
    with pytest.raises(Untrusted, match="not the key of the contract certificate"):
        unwrap(X448, on_x448("receiver"), CONTRACT.public_key(), ADDITIONAL, experimental=True)


def encrypted(plain: bytes, receiver: ec.EllipticCurvePublicKey | x448.X448PublicKey) -> WrappedKey:
    """A delivery of any octets."""
    secret, sender = agree(receiver)
    key = STANDARD.derive(secret, SHA512(), 32)
    return WrappedKey(bytes(12) + AESGCM(key).encrypt(bytes(12), plain, PROTECTED), sender)


@pytest.mark.parametrize(
    ("scalar", "why"),
    [
        (CONTRACT.private_numbers().private_value + 2**521, "V2G20-2678"),
        (0, "no private key"),
        (CURVE.group_order, "no private key"),
        (CURVE.group_order + CONTRACT.private_numbers().private_value, "no private key|V2G20-2678"),
        (CURVE.group_order - CONTRACT.private_numbers().private_value, "not the key"),
    ],
)
def test_a_scalar_that_is_none(scalar: int, why: str) -> None:
    wrapped = encrypted(scalar.to_bytes(66), on_p521("receiver").public_key())
    with pytest.raises(Untrusted, match=why):
        unwrap(wrapped, on_p521("receiver"), CONTRACT.public_key(), ADDITIONAL)


def test_an_x448_key_filled_up_to_the_schemas_length_opens() -> None:
    for sender in (X448.sender + bytes(77), bytes(77) + X448.sender):
        padded = WrappedKey(X448.encrypted, sender)
        opened = unwrap(padded, on_x448("receiver"), EDWARDS.public_key(), ADDITIONAL, experimental=True)
        assert opened.key.public_key() == EDWARDS.public_key()


def test_ed448_is_an_experiment() -> None:
    with pytest.raises(Untrusted, match="experimental"):
        unwrap(X448, on_x448("receiver"), EDWARDS.public_key(), ADDITIONAL)
    with pytest.raises(ValueError, match="experimental"):
        wrap(EDWARDS, on_x448("receiver").public_key(), PROTECTED)


def test_the_forms_of_an_ed448_key() -> None:
    any_key = ed448.Ed448PrivateKey.from_private_bytes(shake_256(b"any").digest(57))
    receiver = on_x448("receiver")
    with pytest.raises(ValueError, match="does not end with 0"):
        wrap(any_key, receiver.public_key(), PROTECTED, form=Ed448Form.SHORT)
    whole = wrap(any_key, receiver.public_key(), PROTECTED, form=Ed448Form.WHOLE)
    assert len(whole.encrypted) == 85
    opened = unwrap(whole, receiver, any_key.public_key(), ADDITIONAL, experimental=True)
    assert (opened.key.public_key(), opened.form) == (any_key.public_key(), Ed448Form.WHOLE)


def test_a_secret_scalar_is_recognised() -> None:
    """RFC 8032 5.2.5: the scalar is the first half of SHAKE256 of the seed, clamped."""
    seed = shake_256(b"any").digest(57)
    scalar = bytearray(shake_256(seed).digest(114)[:56])
    scalar[0] &= 0xFC
    scalar[55] |= 0x80
    certificate_key = ed448.Ed448PrivateKey.from_private_bytes(seed).public_key()
    wrapped = encrypted(bytes(scalar), on_x448("receiver").public_key())
    with pytest.raises(Untrusted, match="secret scalar of the certificate's key"):
        unwrap(wrapped, on_x448("receiver"), certificate_key, ADDITIONAL, experimental=True)


def test_keys_that_do_not_go_together() -> None:
    p256 = ec.generate_private_key(ec.SECP256R1())
    for key, receiver in (
        (CONTRACT, on_x448("r").public_key()),
        (EDWARDS, on_p521("r").public_key()),
        (p256, p256.public_key()),
        (CONTRACT, p256.public_key()),
    ):
        with pytest.raises(ValueError, match="cannot be delivered"):
            wrap(key, receiver, PROTECTED, form=Ed448Form.SHORT)
    with pytest.raises(ValueError, match="receiver is on secp256r1"):
        unwrap(P521, p256, CONTRACT.public_key(), ADDITIONAL)


@given(st.integers(0, 94 * 8 - 1), st.booleans())
def test_any_changed_bit_is_noticed(bit: int, on_sender: bool) -> None:
    data = bytearray(P521.sender if on_sender else P521.encrypted)
    data[bit // 8] ^= 1 << bit % 8
    changed = WrappedKey(P521.encrypted, bytes(data)) if on_sender else WrappedKey(bytes(data), P521.sender)
    with pytest.raises(Untrusted, match="contract key"):
        unwrap(changed, on_p521("receiver"), CONTRACT.public_key(), ADDITIONAL, DERIVATIONS)


@pytest.mark.parametrize(
    ("wrapped", "why"),
    [
        (WrappedKey(P521.encrypted[:-1], P521.sender), "93 bytes"),
        (WrappedKey(b"", P521.sender), "0 bytes"),
        (WrappedKey(P521.encrypted, b""), "DHPublicKey has 0 bytes"),
        (WrappedKey(P521.encrypted, b"\x04" + bytes(132)), "no point"),
        (WrappedKey(P521.encrypted, bytes(133)), "no point"),
    ],
)
def test_wrong_shapes_on_p521(wrapped: WrappedKey, why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        unwrap(wrapped, on_p521("receiver"), CONTRACT.public_key(), ADDITIONAL)


@pytest.mark.parametrize(
    ("wrapped", "why"),
    [
        (WrappedKey(X448.encrypted[:-1], X448.sender), "83 bytes are encrypted, not 84 or 85"),
        (WrappedKey(X448.encrypted, X448.sender[:-1]), "55 bytes"),
        (WrappedKey(X448.encrypted, bytes(56)), "low order"),
        (WrappedKey(X448.encrypted, bytes(133)), "low order"),
        (WrappedKey(X448.encrypted, b"\x01" + bytes(55)), "low order"),
        (WrappedKey(X448.encrypted, X448.sender + b"\1" * 77), "133 bytes"),
    ],
)
def test_wrong_shapes_on_x448(wrapped: WrappedKey, why: str) -> None:
    with pytest.raises(Untrusted, match=why):
        unwrap(wrapped, on_x448("receiver"), EDWARDS.public_key(), ADDITIONAL, experimental=True)


@given(st.binary(max_size=100) | st.binary(min_size=94, max_size=94), st.binary(max_size=140))
def test_garbage_is_untrusted_and_nothing_else(garbage: bytes, sender: bytes) -> None:
    for receiver in (on_p521("receiver"), on_x448("receiver")):
        with pytest.raises(Untrusted):
            unwrap(WrappedKey(garbage, sender), receiver, CONTRACT.public_key(), ADDITIONAL, experimental=True)
