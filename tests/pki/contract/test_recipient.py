"""Whose key a delivery is for: out of certificates with one key, with two, and with something else in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from pki.certificate import Certificate, read
from pki.contract.recipient import load_receiver_key, receiver_key, second_key
from pki.options import Options
from pki.store import Store
from tests.pki.chains import build
from tests.provisioning_iso20 import PLACE


def certificate(second: bytes | None) -> Certificate:
    """A provisioning certificate with these octets as its second key."""
    extension = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.72"), second or b"")
    leaf = {"extensions": ((extension, False),)} if second is not None else {}
    return read(build("oem-provisioning", leaf=leaf).leaf.der)


def spki(key: x448.X448PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_one_key_and_two() -> None:
    other = x448.X448PrivateKey.generate()
    one, two = certificate(None), certificate(spki(other))
    assert receiver_key(one) == one.key
    assert receiver_key(two) == two.key
    assert second_key(one) is None
    assert receiver_key(two, second=True) == other.public_key()
    with pytest.raises(ValueError, match="has no X448 key beside its secp256r1 key"):
        receiver_key(one, second=True)


def test_the_trees_second_key(trees: Path) -> None:
    issued = Store(trees / "iso20-ed448").load(PLACE)
    assert issued.second is not None
    assert receiver_key(read(issued.der)) == issued.second.public_key()


def test_a_second_key_that_is_none() -> None:
    with pytest.raises(ValueError, match="second key of the certificate is of kind secp256r1, not X448"):
        second_key(certificate(spki(ec.generate_private_key(ec.SECP256R1()))))
    with pytest.raises(ValueError, match="cannot be read"):
        second_key(certificate(None), Options(alternative_key_oid="2.5.29.19"))


@given(st.binary(max_size=100))
def test_any_octets_are_a_key_or_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="second key"):
        second_key(certificate(data))


def test_keys_in_files(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    key = x448.X448PrivateKey.generate()
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"12345")))
    assert load_receiver_key(file, b"12345").public_key() == key.public_key()
    with pytest.raises(ValueError, match=r"key\.pem: the key is encrypted; give its password"):
        load_receiver_key(file)
    with pytest.raises(ValueError, match=r"key\.pem: no readable private key, or a wrong password"):
        load_receiver_key(file, b"54321")
    signing = ed25519.Ed25519PrivateKey.generate()
    file.write_bytes(signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ValueError, match=r"key\.pem: a key of kind Ed25519 opens no delivery"):
        load_receiver_key(file)
