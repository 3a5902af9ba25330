from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given
from hypothesis import strategies as st

from pki.credentials import load_anchors, load_chain, load_credential, load_key

CAR = "leaf/contract/car1"


def test_a_chain_is_leaf_first_without_root(pristine: Path) -> None:
    chain = [x509.load_der_x509_certificate(der) for der in load_chain(pristine / CAR / "chain.pem")]
    assert [part.subject.rfc4514_string().split(",")[-1] for part in chain] == [
        "CN=DEPCGC00000001V",
        "CN=MO Sub-CA 2",
        "CN=MO Sub-CA 1",
    ]


def test_a_key_belongs_to_its_chain(pristine: Path) -> None:
    credential = load_credential(pristine / CAR / "chain.pem", pristine / CAR / "key.pem")
    assert credential.key.public_key() == x509.load_der_x509_certificate(credential.chain[0]).public_key()


def test_anchors_are_those_of_the_file(pristine: Path) -> None:
    assert load_anchors(pristine / "trust/v2g.pem") == [(pristine / "ca/v2g/root.der").read_bytes()]


def encrypted(folder: Path, name: str = "key.pem", password: bytes = b"secret") -> Path:
    key = load_key(folder / CAR / "key.pem")
    path = folder / name
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("password", ["secret", b"secret"])
def test_an_encrypted_key_opens_with_its_password(folder: Path, password: str | bytes) -> None:
    key = load_key(encrypted(folder), password)
    assert key.public_key() == load_key(folder / CAR / "key.pem").public_key()


def test_a_password_too_many_does_no_harm(folder: Path) -> None:
    assert load_key(folder / CAR / "key.pem", "secret")


def test_a_key_others_can_read_is_warned_about(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = folder / CAR / "key.pem"
    with caplog.at_level(logging.WARNING):
        load_key(path)
        assert not caplog.records
        path.chmod(0o640)
        load_key(path)
    assert str(path) in caplog.text


def _rsa(folder: Path) -> Path:
    key = rsa.generate_private_key(65537, 2048)
    path = folder / "rsa.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def _text(folder: Path) -> Path:
    path = folder / "text.pem"
    path.write_text("not a key")
    return path


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no chain": (lambda folder: load_chain(folder / "none.pem"), "none.pem: no such certificate chain; .*pki init"),
    "no key": (lambda folder: load_key(folder / "none.pem"), "none.pem: no such private key; .*pki init"),
    "a folder": (load_chain, "cannot read the certificate chain: Is a directory"),
    "a key for a chain": (lambda folder: load_chain(folder / CAR / "key.pem"), "key.pem: holds no PEM certificates"),
    "DER": (lambda folder: load_chain(folder / CAR / "cert.der"), "cert.der: holds no PEM certificates"),
    "a chain for a key": (lambda folder: load_key(folder / CAR / "chain.pem"), "chain.pem: no readable private key"),
    "text for a key": (lambda folder: load_key(_text(folder)), "text.pem: no readable private key"),
    "an RSA key": (
        lambda folder: load_key(_rsa(folder)),
        "rsa.pem: a key of kind RSA; .* no other",
    ),
    "no password": (lambda folder: load_key(encrypted(folder)), "key.pem: the key is encrypted; give its password"),
    "a wrong password": (lambda folder: load_key(encrypted(folder), "x"), "key.pem: .* wrong password"),
    "a leaf as anchor": (lambda folder: load_anchors(folder / CAR / "chain.pem"), "certificate 1 is no CA"),
    "another's key": (
        lambda folder: load_credential(folder / CAR / "chain.pem", folder / "leaf/secc/evse1/key.pem"),
        "evse1/key.pem: not the key of the first certificate in .*chain.pem",
    ),
}


@pytest.mark.parametrize(("action", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_named(folder: Path, action: Callable[[Path], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action(folder)


@given(cut=st.integers(0, 900), new=st.binary(max_size=20))
@example(cut=44, new=b"B")  # a certificate of version 7
def test_a_garbled_file_is_read_or_named(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, cut: int, new: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbled.pem"
    for source, load in ((CAR + "/chain.pem", load_anchors), (CAR + "/key.pem", load_key)):
        data = (pristine / source).read_bytes()
        path.write_bytes(data[:cut] + new + data[cut + len(new) :])
        path.chmod(0o600)
        try:
            load(path)
        except ValueError as error:
            named = str(error)
            assert str(path) in named


def test_a_malformed_certificate_is_named(folder: Path) -> None:
    """Well-formed PEM, and a certificate whose extensions nobody can read."""
    path = folder / CAR / "chain.pem"
    der = bytearray(load_chain(path)[0])
    der[der.index(b"\x55\x1d\x0f") + 2] = 0x13  # key usage becomes a second basic constraints
    text = base64.encodebytes(bytes(der)).decode()
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
    for load in (load_chain, load_anchors):
        with pytest.raises(ValueError, match=r"chain\.pem: holds no PEM certificates .*Duplicate"):
            load(path)
