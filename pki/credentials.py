"""Reads certificates and keys from files; every error is a ValueError that names the file and what to do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from pki.certificate import Certificate, read, signed_by
from pki.keys import SUITES, PrivateKey, kind_of
from pki.shown import shown

logger = logging.getLogger(__name__)
_AT_LENGTH = ("://", "ParseError")
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_MAKE = "`plugcharge pki init` makes a set for tests"


@dataclass(frozen=True, slots=True)
class Credential:
    """A chain of DER certificates, leaf first and without the root, and the leaf's private key."""

    chain: list[bytes]
    key: PrivateKey


def load_chain(path: str | Path) -> list[bytes]:
    """Return the certificates of a PEM file as DER, in their order; raise ValueError if none or one is malformed."""
    return [certificate.der for certificate in load_certificates(Path(path))]


def load_anchors(path: str | Path) -> list[bytes]:
    """Return the trust anchors of a PEM file as DER; raise ValueError if there are none or one is no CA."""
    anchors = load_certificates(Path(path))
    for place, anchor in enumerate(anchors, start=1):
        if not anchor.ca:
            raise ValueError(f"{path}: certificate {place} is no CA and cannot anchor trust; leave it out")
    return [anchor.der for anchor in anchors]


def load_root(path: str | Path, chain: Sequence[bytes]) -> bytes:
    """Return the root in a PEM file that signed the last of a DER chain; raise ValueError if none there did."""
    top = read(chain[-1]).parsed
    for root in load_anchors(path):
        if signed_by(top, read(root).parsed):
            return root
    wanted = top.issuer.rfc4514_string()
    raise ValueError(f"{path}: the chain hangs on none of its roots; name the file of {wanted}, or leave root out")


def load_key(path: str | Path, password: str | bytes | None = None) -> PrivateKey:
    """Return the private key of a PEM file; raise ValueError if it cannot be read, or no V2G certificate has such."""
    place = Path(path)
    data = _bytes(place, "private key")
    secret = password.encode() if isinstance(password, str) else password
    try:
        # A password for a key that has none is an error in `cryptography`; only the reverse is worth one.
        key = load_pem_private_key(data, secret if b"ENCRYPTED" in data else None)
    except TypeError as error:
        raise ValueError(f"{path}: the key is encrypted; give its password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: no readable private key, or a wrong password; {_MAKE}") from error
    if isinstance(key, PrivateKey) and any(suite.fits(key) for suite in SUITES):
        if place.stat().st_mode & 0o077:
            logger.warning("%s can be read by others; `chmod 600` it", path)
        return key
    kinds = ", ".join(suite.name for suite in SUITES)
    raise ValueError(f"{path}: a key of kind {kind_of(key)}; ISO 15118 uses {kinds} and no other; {_MAKE}")


def load_credential(chain: str | Path, key: str | Path, password: str | bytes | None = None) -> Credential:
    """Return chain and key of a leaf; raise ValueError if one cannot be read or they do not belong together."""
    certificates, secret = load_certificates(Path(chain)), load_key(key, password)
    if certificates[0].key != secret.public_key():
        raise ValueError(f"{key}: not the key of the first certificate in {chain}; take both from one folder")
    return Credential([certificate.der for certificate in certificates], secret)


def load_certificates(path: Path) -> list[Certificate]:
    """Return the certificates of a PEM file, read; raise ValueError if there are none or one is malformed."""
    data = _bytes(path, "certificate chain")
    try:
        return [read(parsed.public_bytes(Encoding.DER)) for parsed in x509.load_pem_x509_certificates(data)]
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"{path}: holds no PEM certificates ({_briefly(error, data)}); {_MAKE}") from error


def _briefly(error: Exception, data: bytes) -> str:
    """Say what is wrong with a PEM file in few words; our own reader's are few, those of `cryptography` a page."""
    if _BEGIN not in data:
        return "no BEGIN CERTIFICATE in it"
    text = str(error)
    return "cut short or garbled" if any(mark in text for mark in _AT_LENGTH) else f"damaged: {shown(text)}"


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such {what}; {_MAKE}") from error
    except OSError as error:
        raise ValueError(f"{path}: cannot read the {what}: {error.strerror}") from error
