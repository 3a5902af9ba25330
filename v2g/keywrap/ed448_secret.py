"""What of an Ed448 private key goes into the 56 octets that a -20 delivery has for it: nobody free knows (unverified).

An Ed448 private key is a seed of 57 octets, from which a secret scalar of 56 is derived (RFC 8032). The field fits an
X448 scalar, and an X448 scalar cannot sign. Hence three forms, two of which can be used; all of them are experimental.
"""

from __future__ import annotations

import secrets
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, x448

from v2g.keywrap.wrapped import untrusted

SEED_BYTES = 57
FIELD_BYTES = 56
_PRIME = 2**448 - 2**224 - 1
_D = -39081


class Ed448Form(StrEnum):
    """What is sent of an Ed448 key."""

    SHORT = "seed without its last octet, which is 0"
    WHOLE = "seed of 57 octets"


def generate() -> ed448.Ed448PrivateKey:
    """Make a key whose seed ends with 0, so that the field holds it; 448 random bits are twice its strength."""
    return ed448.Ed448PrivateKey.from_private_bytes(secrets.token_bytes(FIELD_BYTES) + b"\0")


def secret_of(key: ed448.Ed448PrivateKey, form: Ed448Form) -> bytes:
    """Tell the octets of a key in a form; raises ValueError for a key that does not have it."""
    seed = key.private_bytes_raw()
    if form is Ed448Form.WHOLE:
        return seed
    if seed[-1]:
        raise ValueError("the seed of this Ed448 key does not end with 0: 56 octets do not hold it; make another key")
    return seed[:FIELD_BYTES]


def key_of(secret: bytes, certificate_key: object) -> tuple[ed448.Ed448PrivateKey, Ed448Form]:
    """Read the octets in the form that gives the certificate's key; raises `Untrusted` where none does [V2G20-2507]."""
    form = Ed448Form.WHOLE if len(secret) == SEED_BYTES else Ed448Form.SHORT
    key = ed448.Ed448PrivateKey.from_private_bytes(secret.ljust(SEED_BYTES, b"\0"))
    if key.public_key() == certificate_key:
        return key, form
    if isinstance(certificate_key, ed448.Ed448PublicKey) and _is_scalar(secret, certificate_key):
        raise untrusted("it is the secret scalar of the certificate's key, not its seed: it cannot sign as it is")
    raise untrusted("it is not the key of the contract certificate [V2G20-2507]")


def _is_scalar(secret: bytes, certificate_key: ed448.Ed448PublicKey) -> bool:
    """Tell whether a scalar is that of a key: X448 multiplies by it on a curve isogenous to that of Ed448."""
    encoded = certificate_key.public_bytes_raw()
    y = int.from_bytes(encoded[:FIELD_BYTES], "little")
    y2 = y * y % _PRIME
    x2 = (1 - y2) * pow(1 - _D * y2, -1, _PRIME) % _PRIME
    if len(secret) != FIELD_BYTES or x2 == 0:
        return False
    u = y2 * pow(x2, -1, _PRIME) % _PRIME  # RFC 7748 4.2
    try:
        found = x448.X448PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return int.from_bytes(found, "little") == u
