"""What takes the place of the right thing in a delivery that is wrong on purpose."""

from __future__ import annotations

from typing import overload

from cryptography.hazmat.primitives.asymmetric import ec, x448

from pki.keys import ED448, PrivateKey, suite_of
from v2g import identifiers
from v2g.keywrap import ed448_secret
from v2g.keywrap.agreement import ReceiverPublicKey


@overload
def neighbour(receiver: ec.EllipticCurvePublicKey) -> ec.EllipticCurvePublicKey: ...
@overload
def neighbour(receiver: ReceiverPublicKey) -> ReceiverPublicKey: ...
def neighbour(receiver: ReceiverPublicKey) -> ReceiverPublicKey:
    """Somebody else's key on the same curve; nobody knows its other half."""
    if isinstance(receiver, x448.X448PublicKey):
        return x448.X448PrivateKey.generate().public_key()
    return ec.generate_private_key(receiver.curve).public_key()


def other_key(key: PrivateKey) -> PrivateKey:
    """Another contract's key, which could be delivered as well."""
    return ed448_secret.generate() if ED448.fits(key) else suite_of(key).generate()


def forger(key: PrivateKey) -> PrivateKey:
    """The key of somebody who signs in another's name."""
    return suite_of(key).generate()


def other_account(emaid: str) -> str:
    """Another account of the same provider, with its right check character where there was one."""
    plain = emaid[:13] + ("1" if emaid[13] != "1" else "2")
    return plain + identifiers.check_character(plain) if len(emaid) == 15 else plain


def turned(data: bytes) -> bytes:
    """The same with its last bit turned."""
    return data[:-1] + bytes([data[-1] ^ 1])
