"""How sender and receiver come to one secret: the sender's key of this one delivery, the receiver's static key.

One-pass C(1,1) of NIST SP 800-56A on P-256 and P-521, RFC 7748 on X448. The receiver is the provisioning certificate
in an installation [V2G2-820] and the old contract in an update [V2G2-821].
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, x448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from v2g.keywrap.wrapped import untrusted

ReceiverKey = ec.EllipticCurvePrivateKey | x448.X448PrivateKey
ReceiverPublicKey = ec.EllipticCurvePublicKey | x448.X448PublicKey
X448_BYTES = 56


def agree(receiver: ReceiverPublicKey) -> tuple[bytes, bytes]:
    """Make the sender's key: tells the secret, and the public key that goes with the delivery."""
    if isinstance(receiver, x448.X448PublicKey):
        sender = x448.X448PrivateKey.generate()
        return sender.exchange(receiver), sender.public_key().public_bytes_raw()
    point = ec.generate_private_key(receiver.curve)
    secret = point.exchange(ec.ECDH(), receiver)
    return secret, point.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def shared(receiver: ReceiverKey, sender: bytes) -> bytes:
    """Tell the secret from the public key that came; raises `Untrusted` for bytes that are none."""
    if isinstance(receiver, x448.X448PrivateKey):
        return _shared_x448(receiver, sender)
    size = 1 + 2 * ((receiver.curve.key_size + 7) // 8)
    named = "DHpublickey" if receiver.curve.name == "secp256r1" else "DHPublicKey"
    if len(sender) != size:
        raise untrusted(f"{named} has {len(sender)} bytes, not {size} as an uncompressed point [V2G2-819]")
    try:
        # A point that is not on the curve would betray the receiver's key bit by bit.
        point = ec.EllipticCurvePublicKey.from_encoded_point(receiver.curve, sender)
    except ValueError as error:
        raise untrusted(f"{named} is no point on {receiver.curve.name} [V2G2-819]") from error
    return receiver.exchange(ec.ECDH(), point)


def _shared_x448(receiver: x448.X448PrivateKey, sender: bytes) -> bytes:
    if len(sender) != X448_BYTES:
        raise untrusted(f"DHPublicKey has {len(sender)} bytes, not {X448_BYTES} [V2G20-2495]")
    try:
        return receiver.exchange(x448.X448PublicKey.from_public_bytes(sender))
    except ValueError as error:
        raise untrusted("DHPublicKey is a point of low order: the secret would be everybody's") from error
