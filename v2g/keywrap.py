"""Delivery of a contract's private key in ISO 15118-2: wrap it for one vehicle, unwrap and prove it.

The sender makes a key for this one delivery; its public half, DHpublickey, and the receiver's static key give both
sides the same secret (NIST SP 800-56A, C(1,1)). The receiver is the provisioning certificate in an installation
[V2G2-820] and the old contract in an update [V2G2-821]. AES-CBC authenticates nothing, so `unwrap` hands out no key
that is not the certificate's: the proof cannot be skipped. The signature over the delivery is checked before it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from v2g.errors import Untrusted

CURVE = ec.SECP256R1()
POINT_BYTES = 65
"""An uncompressed point: 04, X, Y [V2G2-819]."""
IV_BYTES = 16
SCALAR_BYTES = 32
WRAPPED_BYTES = IV_BYTES + SCALAR_BYTES
CIPHER_KEY_BYTES = 16
OTHER_INFO = b"\x01\x55\x56"
"""AlgorithmID, PartyUInfo, PartyVInfo of the key derivation [V2G2-818]."""
RULE = "contract key"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """What is sent: ContractSignatureEncryptedPrivateKey (IV, then the encrypted scalar) and DHpublickey."""

    encrypted: bytes
    sender: bytes


def wrap(key: ec.EllipticCurvePrivateKey, receiver: ec.EllipticCurvePublicKey) -> WrappedKey:
    """Encrypt a contract's key for the owner of `receiver`; raises ValueError where one of them is not on P-256."""
    _demand_curve("contract", key.curve)
    _demand_curve("receiver", receiver.curve)
    sender = ec.generate_private_key(CURVE)
    iv = secrets.token_bytes(IV_BYTES)  # never used again [V2G2-815]
    scalar = key.private_numbers().private_value.to_bytes(SCALAR_BYTES)
    encryptor = _cipher(sender.exchange(ec.ECDH(), receiver), iv).encryptor()
    point = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return WrappedKey(iv + encryptor.update(scalar) + encryptor.finalize(), point)


def unwrap(
    wrapped: WrappedKey, receiver: ec.EllipticCurvePrivateKey, certificate_key: PublicKeyTypes
) -> ec.EllipticCurvePrivateKey:
    """Decrypt a contract's key and prove that it belongs to the key of the contract certificate [V2G2-823].

    Raises `Untrusted` for whatever is wrong with the delivery, and ValueError for a receiver that is not on P-256.
    """
    _demand_curve("receiver", receiver.curve)
    if len(wrapped.encrypted) != WRAPPED_BYTES:
        _refuse(f"{len(wrapped.encrypted)} bytes are encrypted, not {WRAPPED_BYTES} [V2G2-815]")
    decryptor = _cipher(receiver.exchange(ec.ECDH(), _point(wrapped.sender)), wrapped.encrypted[:IV_BYTES]).decryptor()
    scalar = int.from_bytes(decryptor.update(wrapped.encrypted[IV_BYTES:]) + decryptor.finalize())
    if not 0 < scalar < CURVE.group_order:
        _refuse("what was decrypted is no private key: it was encrypted for somebody else, or changed [V2G2-823]")
    key = ec.derive_private_key(scalar, CURVE)
    if key.public_key() != certificate_key:
        _refuse("it is not the key of the contract certificate [V2G2-823]")
    return key


def _demand_curve(whose: str, curve: ec.EllipticCurve) -> None:
    if curve.name != CURVE.name:
        raise ValueError(f"the key of the {whose} is on {curve.name}, not on {CURVE.name}")


def _cipher(secret: bytes, iv: bytes) -> Cipher[CBC]:
    """The cipher that both sides derive from what only they know; whole blocks, hence no padding."""
    key = ConcatKDFHash(SHA256(), CIPHER_KEY_BYTES, OTHER_INFO).derive(secret)
    return Cipher(AES128(key), CBC(iv))


def _point(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read DHpublickey; a point that is not on the curve would betray the receiver's key bit by bit."""
    if len(data) != POINT_BYTES:
        _refuse(f"DHpublickey has {len(data)} bytes, not {POINT_BYTES} [V2G2-819]")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, data)
    except ValueError:
        _refuse("DHpublickey is no point on P-256 [V2G2-819]")


def _refuse(why: str) -> NoReturn:
    raise Untrusted(RULE, why)
