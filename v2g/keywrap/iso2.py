"""Delivery of a contract's private key in ISO 15118-2: AES-128-CBC over the scalar, on P-256.

AES-CBC authenticates nothing, so `unwrap` hands out no key that is not the certificate's: the proof cannot be skipped.
The signature over the delivery is checked before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256

from v2g.keywrap.agreement import agree, shared
from v2g.keywrap.derivation import STANDARD, Derivation
from v2g.keywrap.wrapped import Opened, WrappedKey, untrusted

CURVE = ec.SECP256R1()
IV_BYTES = 16
SCALAR_BYTES = 32
WRAPPED_BYTES = IV_BYTES + SCALAR_BYTES
CIPHER_KEY_BYTES = 16


def wrap(key: PrivateKeyTypes, receiver: PublicKeyTypes, derivation: Derivation = STANDARD) -> WrappedKey:
    """Encrypt a contract's key for the owner of `receiver`; raises ValueError where one of them is not on P-256.

    WrappedKey.encrypted is IV, then the encrypted scalar; `.sender` is an uncompressed point [V2G2-819].
    """
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != CURVE.name:
        raise _elsewhere("contract", key)
    if not isinstance(receiver, ec.EllipticCurvePublicKey) or receiver.curve.name != CURVE.name:
        raise _elsewhere("receiver", receiver)
    secret, sender = agree(receiver)
    iv = secrets.token_bytes(IV_BYTES)  # never used again [V2G2-815]
    encryptor = _cipher(derivation, secret, iv).encryptor()
    scalar = key.private_numbers().private_value.to_bytes(SCALAR_BYTES)
    return WrappedKey(iv + encryptor.update(scalar) + encryptor.finalize(), sender)


def unwrap(
    wrapped: WrappedKey,
    receiver: PrivateKeyTypes,
    certificate_key: PublicKeyTypes,
    derivations: Sequence[Derivation] = (STANDARD,),
) -> Opened[ec.EllipticCurvePrivateKey]:
    """Decrypt a contract's key and prove that it belongs to the key of the contract certificate [V2G2-823].

    Nothing but that proof tells whether a derivation is the sender's; the first that gives the key is told. Raises
    `Untrusted` for whatever is wrong with the delivery, and ValueError for a receiver that is not on P-256.
    """
    if not isinstance(receiver, ec.EllipticCurvePrivateKey) or receiver.curve.name != CURVE.name:
        raise _elsewhere("receiver", receiver)
    if len(wrapped.encrypted) != WRAPPED_BYTES:
        raise untrusted(f"{len(wrapped.encrypted)} bytes are encrypted, not {WRAPPED_BYTES} [V2G2-815]")
    secret = shared(receiver, wrapped.sender)
    scalars = [_scalar(each, secret, wrapped.encrypted) for each in derivations]
    for derivation, scalar in zip(derivations, scalars, strict=True):
        key = ec.derive_private_key(scalar, CURVE) if 0 < scalar < CURVE.group_order else None
        if key is not None and key.public_key() == certificate_key:
            return Opened(key, derivation.name)
    if not any(0 < scalar < CURVE.group_order for scalar in scalars):
        raise untrusted(
            "what was decrypted is no private key: it was encrypted for somebody else, or changed [V2G2-823]"
        )
    tried = f", nor by {len(derivations) - 1} other key derivations" if len(derivations) > 1 else ""
    raise untrusted(f"it is not the key of the contract certificate{tried} [V2G2-823]")


def _elsewhere(whose: str, key: object) -> ValueError:
    curve = getattr(key, "curve", None)
    where = curve.name if isinstance(curve, ec.EllipticCurve) else "another kind of curve"
    return ValueError(f"the key of the {whose} is on {where}, not on {CURVE.name}")


def _cipher(derivation: Derivation, secret: bytes, iv: bytes) -> Cipher[CBC]:
    """The cipher that both sides derive from what only they know; whole blocks, hence no padding."""
    return Cipher(AES128(derivation.derive(secret, SHA256(), CIPHER_KEY_BYTES)), CBC(iv))


def _scalar(derivation: Derivation, secret: bytes, encrypted: bytes) -> int:
    decryptor = _cipher(derivation, secret, encrypted[:IV_BYTES]).decryptor()
    return int.from_bytes(decryptor.update(encrypted[IV_BYTES:]) + decryptor.finalize())
