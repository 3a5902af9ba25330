"""Certificates are found in whatever they are packed; keys among them are noticed and left alone."""

from __future__ import annotations

import base64
import io
import sys
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from pki.lint.contents import certificates_in, looks_like_certificates
from pki.lint.source import MAX_FILE, Unreachable, gather
from tests.pki.lint.made import path

OWN = path()
BEGIN = b"-----BEGIN CERTIFICATE-----\n"
CHAIN = [x509.load_der_x509_certificate(der) for der in OWN.chain]


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


def key(form: PrivateFormat, encoding: Encoding, encryption: KeySerializationEncryption | None = None) -> bytes:
    assert isinstance(OWN.leaf.key, ec.EllipticCurvePrivateKey)
    return OWN.leaf.key.private_bytes(encoding, form, encryption or NoEncryption())


def packed(password: bytes = b"") -> bytes:
    assert isinstance(OWN.leaf.key, ec.EllipticCurvePrivateKey)
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"leaf", OWN.leaf.key, CHAIN[0], CHAIN[1:], encryption)


WHOLE = {
    "PEM": b"".join(map(pem, OWN.chain)),
    "PEM with text between": b"Subject: x\n" + b"\nissuer\n".join(map(pem, OWN.chain)),
    "PEM of Windows": b"".join(map(pem, OWN.chain)).replace(b"\n", b"\r\n"),
    "PEM of old": b"".join(pem(der, "X509 CERTIFICATE") for der in OWN.chain),
    "PKCS#7 DER": pkcs7.serialize_certificates(CHAIN, Encoding.DER),
    "PKCS#7 PEM": pkcs7.serialize_certificates(CHAIN, Encoding.PEM),
    "PKCS#7 as EST has it": base64.encodebytes(pkcs7.serialize_certificates(CHAIN, Encoding.DER)),
    "PKCS#12": packed(),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_every_form_gives_the_same_certificates(data: bytes) -> None:
    pieces, remarks = certificates_in(data)
    assert {piece.der for piece in pieces} == set(OWN.chain)
    assert remarks == []


def test_der_is_one_certificate_as_it_is() -> None:
    for der in (OWN.leaf.der, OWN.leaf.der + b"trailing", OWN.leaf.der[:-9]):
        pieces, _ = certificates_in(der)
        assert [piece.der for piece in pieces] == [der]


def test_pem_tells_the_line_of_each() -> None:
    data = b"one\ntwo\n" + pem(OWN.leaf.der) + pem(OWN.sub2.der)
    pieces, _ = certificates_in(data)
    lines = data.split(b"\n")
    assert [lines[(piece.line or 0) - 1] for piece in pieces] == [b"-----BEGIN CERTIFICATE-----"] * 2
    assert pieces[0].line == 3


KEYS = {
    "old PEM": key(PrivateFormat.TraditionalOpenSSL, Encoding.PEM),
    "encrypted PEM": key(PrivateFormat.PKCS8, Encoding.PEM, BestAvailableEncryption(b"12345")),
    "PKCS#8 PEM": key(PrivateFormat.PKCS8, Encoding.PEM),
    "PKCS#8 DER": key(PrivateFormat.PKCS8, Encoding.DER),
    "old DER": key(PrivateFormat.TraditionalOpenSSL, Encoding.DER),
    "encrypted DER": key(PrivateFormat.PKCS8, Encoding.DER, BestAvailableEncryption(b"12345")),
}


@pytest.mark.parametrize("data", KEYS.values(), ids=KEYS)
def test_keys_are_noticed(data: bytes) -> None:
    pieces, remarks = certificates_in(data)
    assert pieces == []
    assert [remark.rule for remark in remarks] == ["private-key"]


def test_keys_beside_certificates_are_noticed() -> None:
    pieces, remarks = certificates_in(pem(OWN.leaf.der) + KEYS["PKCS#8 PEM"] + pem(OWN.sub2.der))
    assert [piece.der for piece in pieces] == [OWN.leaf.der, OWN.sub2.der]
    assert [remark.rule for remark in remarks] == ["private-key"]


def test_a_password_opens_pkcs12() -> None:
    data = packed(b"12345")
    assert [remark.rule for remark in certificates_in(data)[1]] == ["locked"]
    assert [remark.rule for remark in certificates_in(data, b"wrong")[1]] == ["locked"]
    assert {piece.der for piece in certificates_in(data, b"12345")[0]} == set(OWN.chain)


BROKEN = {
    "no end": pem(OWN.leaf.der)[:-20],
    "no base64": b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
    "nothing in it": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "PKCS#7 cut": WHOLE["PKCS#7 DER"][:-40],
    "huge": pem(b"\x30\x83\x01\xff\xff" + bytes(1 << 17)),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told(data: bytes) -> None:
    pieces, remarks = certificates_in(data)
    assert pieces == []
    assert [remark.rule for remark in remarks] == ["unreadable"]


def test_a_folder_is_searched(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/chain.pem").write_bytes(WHOLE["PEM"])
    (tmp_path / "a/leaf.crt").write_bytes(OWN.leaf.der)
    (tmp_path / "a/bundle.p7b").write_bytes(WHOLE["PKCS#7 DER"])
    (tmp_path / "a/locked.p12").write_bytes(packed(b"12345"))
    for name, data in (("key.pem", KEYS["old PEM"]), ("notes.txt", b"x"), ("answer.der", b"\x30\x03\x0a\x01\x06")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "private").mkdir()
    (tmp_path / "private/leaf.pem").write_bytes(WHOLE["PEM"])
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "pipe").symlink_to("/dev/zero")
    found = {Path(source.name).relative_to(tmp_path).as_posix(): len(source.pieces) for source in gather(tmp_path)}
    assert found == {"a/b/chain.pem": 3, "a/leaf.crt": 1, "a/bundle.p7b": 3, "a/locked.p12": 0}


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WHOLE["PEM"])))
    (source,) = gather(Path("-"))
    assert (source.name, len(source.pieces)) == ("stdin", 3)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.pem").write_text("nothing")
    (tmp_path / "locked.p12").write_bytes(packed(b"12345"))
    with (tmp_path / "huge.der").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    for name, message in (
        ("none.pem", "none.pem: cannot be read: No such file"),
        ("empty", "empty: no file in it holds a certificate"),
        ("text.pem", "text.pem: holds no certificate; name a PEM"),
        ("locked.p12", "locked.p12: cannot be opened; give its password"),
        ("huge.der", "huge.der: more than 4194304 bytes"),
    ):
        with pytest.raises(Unreachable, match=message):
            list(gather(tmp_path / name))


def test_looks_tell_certificates_from_the_rest() -> None:
    assert all(looks_like_certificates(data) for data in WHOLE.values() if data[:1] == b"\x30" or b"BEGIN" in data)
    assert not looks_like_certificates(KEYS["PKCS#8 PEM"])
    assert not looks_like_certificates(b"\x30\x03\x0a\x01\x06")


@pytest.mark.parametrize(
    ("unit", "pieces"),
    [
        (b"-----BEGIN CERTIFICATE-----\n", 0),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 50_000),
    ],
    ids=["beginnings", "blocks"],
)
def test_a_file_full_of_blocks_takes_one_pass(unit: bytes, pieces: int) -> None:
    """Looking for the end of each anew would take an hour."""
    began = time.monotonic()
    found, remarks = certificates_in(unit * 50_000)
    assert time.monotonic() - began < 20
    assert len(found) == pieces
    assert [piece.line for piece in found[:3]] == [1, 4, 7][: min(pieces, 3)]
    assert [remark.text for remark in remarks] == ([] if pieces else ["a PEM block has no end"])


def test_a_block_without_an_end_hides_none_behind_it() -> None:
    pieces, remarks = certificates_in(b"-----BEGIN CERTIFICATE-----\nAAAA\n" + pem(OWN.leaf.der))
    assert [(piece.der, piece.line) for piece in pieces] == [(OWN.leaf.der, 3)]
    assert [remark.text for remark in remarks] == ["a PEM block has no end"]
