"""The bytes of the files of a layout: how each form is made of certificates and keys, and how it is read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)

from pki.certificate import Certificate, read
from pki.keys import ED448, SUITES, PrivateKey, kind_of, suite_of
from pki.layouts.layout import MAX_PASSWORD, File, Form
from pki.ocsp import cert_id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate, its private key where somebody has it, an OCSP response about it and its issuer likewise."""

    certificate: Certificate
    key: PrivateKey | None = None
    response: bytes | None = None
    issuer: Certificate | None = None

    def serves(self, form: Form) -> bool:
        """Tell whether there is what a file of this form is made of."""
        if form in (Form.STAPLE, Form.STAPLE_ID):
            return self.response is not None
        return self.key is not None or not form.secret


class Locked(ValueError):
    """None of the passwords known opens a file, or it is damaged: the two cannot be told apart."""


def encode(file: File, held: Sequence[Held], password: bytes) -> bytes:
    """Return the bytes of a row for what lies in its places; what needs a key needs that of the first."""
    first = held[0]
    match file.form:
        case Form.PEM:
            return b"".join(one.certificate.parsed.public_bytes(Encoding.PEM) for one in held)
        case Form.DER:
            return first.certificate.der
        case Form.PASSWORD:
            return password + b"\n"
        case Form.STAPLE | Form.STAPLE_ID if first.response is not None and first.issuer is not None:
            return first.response if file.form is Form.STAPLE else _about(first.certificate, first.issuer)
    if first.key is None:
        raise ValueError("its key is missing")
    encryption = encryption_with(password)
    if file.form is Form.P12:
        above = [one.certificate.parsed for one in held[1:]]
        label = file.label.encode()
        return pkcs12.serialize_key_and_certificates(label, first.key, first.certificate.parsed, above, encryption)
    encoding = Encoding.DER if file.form is Form.PKCS8_DER else Encoding.PEM
    old = file.form is Form.KEY and suite_of(first.key) is not ED448
    return first.key.private_bytes(
        encoding, PrivateFormat.TraditionalOpenSSL if old else PrivateFormat.PKCS8, encryption
    )


def _about(certificate: Certificate, issuer: Certificate) -> bytes:
    """Name a certificate as EVerest does in the file beside a response."""
    name = cert_id(certificate.serial, issuer.parsed, hashes.SHA256())
    return f"SHA256\n{name.name_hash.hex()}\n{name.key_hash.hex()}\n{name.serial:x}\n".encode()


def says(file: File, held: Sequence[Held], password: bytes, data: bytes) -> bool:
    """Tell whether bytes say what `encode` would; keys are encrypted in another way every time."""
    if not file.form.keyed:
        return data == encode(file, held, password)
    try:
        if password and not _locked(file.form, data):
            return False
        found, certificates = p12(data, [password]) if file.form is Form.P12 else (key(file.form, data, [password]), [])
    except ValueError:
        return False
    wanted = [one.certificate.der for one in held] if file.form is Form.P12 else []
    public = held[0].certificate.key
    return found is not None and found.public_key() == public and [each.der for each in certificates] == wanted


def _locked(form: Form, data: bytes) -> bool:
    """Tell whether a key needs a password."""
    try:
        _ = p12(data, []) if form is Form.P12 else key(form, data, [])
    except Locked:
        return True
    return False


def encryption_with(password: bytes) -> KeySerializationEncryption:
    """Return how a key is encrypted, not at all with an empty password; raise ValueError for one nobody can use."""
    if len(password) > MAX_PASSWORD or any(byte < ord(" ") for byte in password):
        raise ValueError(f"a password is one line of at most {MAX_PASSWORD} bytes without control characters")
    return BestAvailableEncryption(password) if password else NoEncryption()


def certificates(form: Form, data: bytes) -> list[Certificate]:
    """Return the certificates of PEM or DER, at least one; raise ValueError if there is none or one is malformed."""
    if form is Form.DER:
        return [read(data)]
    return [_again(parsed) for parsed in _attempt(lambda: x509.load_pem_x509_certificates(data))]


def pkcs7_certificates(der: bytes) -> list[Certificate]:
    """Return the certificates of DER PKCS#7; raise ValueError if there are none or one is malformed."""
    return [_again(parsed) for parsed in _attempt(lambda: pkcs7.load_der_pkcs7_certificates(der))]


def key(form: Form, data: bytes, passwords: Iterable[bytes]) -> PrivateKey:
    """Return a private key, opened by the first password that fits; raise ValueError, or `Locked` if none does."""
    load = load_der_private_key if form is Form.PKCS8_DER else load_pem_private_key
    try:
        found: object = _attempt(lambda: load(data, None))
    except Encrypted:
        found = _opened(lambda password: load(data, password), passwords)
    return _known(found)


def p12(data: bytes, passwords: Iterable[bytes]) -> tuple[PrivateKey | None, list[Certificate]]:
    """Return key and certificates of PKCS#12, at least one, that of the key first; raise ValueError, or `Locked`."""

    def load(password: bytes) -> pkcs12.PKCS12KeyAndCertificates:
        return pkcs12.load_pkcs12(data, password or None)

    found = _opened(load, (b"", *passwords))
    certificates = (found.cert, *found.additional_certs)
    parsed = [_again(one.certificate) for one in certificates if one is not None]
    if not parsed:
        raise ValueError("holds no certificates")
    return (None if found.key is None else _known(found.key)), parsed


def _known(secret: object) -> PrivateKey:
    """Return a private key of a kind that V2G certificates have; raise ValueError for another."""
    if isinstance(secret, PrivateKey) and any(suite.fits(secret) for suite in SUITES):
        return secret
    raise ValueError(f"a key of kind {kind_of(secret)}, which no V2G certificate has")


def _again(parsed: x509.Certificate) -> Certificate:
    return read(parsed.public_bytes(Encoding.DER))


class Encrypted(Exception):
    """A key cannot be read without a password."""


def _attempt(load: Callable[[], T]) -> T:
    """Run what reads foreign bytes; raise ValueError for all that may be wrong with them, or `Encrypted`."""
    try:
        with warnings.catch_warnings():
            # About oddities in foreign files, which those who have them cannot act upon.
            warnings.simplefilter("ignore")
            return load()
    except TypeError as error:
        raise Encrypted from error
    except (UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ValueError(str(error)) from error


def _opened(load: Callable[[bytes], T], passwords: Iterable[bytes]) -> T:
    for password in dict.fromkeys(passwords):
        try:
            return _attempt(partial(load, password))
        except (ValueError, Encrypted):
            continue
    raise Locked("none of the passwords known opens it, or it is damaged")
