"""For whom a delivery is encrypted, and by whom it is opened: the keys of a vehicle that agree with a sender's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, x448
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key
from cryptography.x509.oid import ObjectIdentifier

from pki.certificate import Certificate
from pki.keys import kind_of
from pki.options import DEFAULT, Options
from pki.store import SECOND_KEY
from v2g.keywrap.agreement import ReceiverKey, ReceiverPublicKey
from v2g.keywrap.derivation import STANDARD, Derivation


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who opens a delivery: the static key, and for -20 the PCID; `derivations` are tried in their order.

    `experimental` lets an Ed448 contract be opened, whose form is nobody's but ours.
    """

    key: ReceiverKey
    pcid: str = ""
    derivations: Sequence[Derivation] = (STANDARD,)
    experimental: bool = False


def agreeing_key(key: object) -> ReceiverKey:
    """Return a private key that agrees with a sender's; raises ValueError for one that only signs."""
    if isinstance(key, ec.EllipticCurvePrivateKey | x448.X448PrivateKey):
        return key
    raise ValueError(
        f"a key of kind {kind_of(key)} opens no delivery; name that of the vehicle on P-256, P-521 or X448"
    )


def receiver_key(certificate: Certificate, options: Options = DEFAULT, *, second: bool = False) -> ReceiverPublicKey:
    """Return the key that a delivery to the owner of a certificate is encrypted for; raises ValueError if it has none.

    It is that of the certificate, or its second one on X448: of an Ed448 certificate in any case, else if `second`.
    """
    own = certificate.key
    if isinstance(own, ec.EllipticCurvePublicKey) and not second:
        return own
    other = second_key(certificate, options)
    if other is None:
        raise ValueError(
            f"the certificate of {certificate.common_name!r} has no X448 key beside its {kind_of(own)} key"
        )
    return other


def second_key(certificate: Certificate, options: Options = DEFAULT) -> x448.X448PublicKey | None:
    """Return the X448 key in the extension of a certificate with two keys; raises ValueError for a malformed one."""
    try:
        found = certificate.parsed.extensions.get_extension_for_oid(ObjectIdentifier(options.alternative_key_oid)).value
    except x509.ExtensionNotFound:
        return None
    data = found.value if isinstance(found, x509.UnrecognizedExtension) else found.public_bytes()
    try:
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the second key of the certificate cannot be read") from error
    if isinstance(key, x448.X448PublicKey):
        return key
    raise ValueError(f"the second key of the certificate is of kind {kind_of(key)}, not X448")


def load_receiver_key(path: Path, password: bytes | None = None) -> ReceiverKey:
    """Read a vehicle's private key, PEM; raises ValueError naming file and remedy, OSError where it cannot be read."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; name the receiver's private key, PEM") from None
    try:
        key = load_pem_private_key(data, password if b"ENCRYPTED" in data else None)
    except TypeError as error:
        raise ValueError(f"{path}: the key is encrypted; give its password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path}: no readable private key, or a wrong password") from error
    try:
        return agreeing_key(key)
    except ValueError as error:
        second = path.with_name(SECOND_KEY)
        there = f"; {second} is one" if second.is_file() else ""
        raise ValueError(f"{path}: {error}{there}") from error
