"""Delivery of a contract's private key in ISO 15118-20: AES-256-GCM over the key, agreed on P-521 or X448.

GCM tells which variant of derivation and additional data the sender took; that the key is the certificate's is proved
besides, and no key leaves `unwrap` without that proof [V2G20-2507]. On X448 goes an Ed448 key, in a form that is ours
alone (`v2g.keywrap.ed448_secret`): `experimental` allows it. The TPM's way is not spoken.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x448
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512

from v2g.keywrap import ed448_secret
from v2g.keywrap.agreement import X448_BYTES, ReceiverKey, ReceiverPublicKey, agree, shared
from v2g.keywrap.derivation import STANDARD, Derivation
from v2g.keywrap.ed448_secret import Ed448Form
from v2g.keywrap.wrapped import Opened, WrappedKey, untrusted

ContractKey = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
CURVE = ec.SECP521R1()
IV_BYTES = 12
TAG_BYTES = 16
CIPHER_KEY_BYTES = 32
SCALAR_BYTES = 66
SENDER_BYTES = 133
"""What the schema has for every DHPublicKey: an uncompressed point on P-521."""
SCALAR_BITS = 521
EXPERIMENTAL = "what an Ed448 key looks like in it is nowhere free to read; allow it as experimental"


@dataclass(frozen=True, slots=True)
class Variant:
    """How a sender is taken to have derived the key and what data it protected; the names tell which."""

    derivation: Derivation
    additional: bytes
    name: str


def wrap(
    key: ContractKey,
    receiver: ReceiverPublicKey,
    additional: bytes,
    derivation: Derivation = STANDARD,
    *,
    form: Ed448Form | None = None,
) -> WrappedKey:
    """Encrypt a contract's key for the owner of `receiver`: P-521 for P-521, Ed448 for X448.

    WrappedKey.encrypted is IV of 12 bytes, the key of 66 or 56, tag of 16; `.sender` is a point of 133 bytes or an
    X448 key of 56 [V2G20-2495]. `form` allows an Ed448 key. Raises ValueError for keys that do not go together.
    """
    plain = _plain(key, receiver, form)
    secret, sender = agree(receiver)
    iv = secrets.token_bytes(IV_BYTES)
    return WrappedKey(iv + _cipher(derivation, secret).encrypt(iv, plain, additional), sender)


def unwrap(
    wrapped: WrappedKey,
    receiver: ReceiverKey,
    certificate_key: PublicKeyTypes,
    additional: Mapping[bytes, str],
    derivations: Sequence[Derivation] = (STANDARD,),
    *,
    experimental: bool = False,
) -> Opened[ContractKey]:
    """Decrypt a contract's key and prove that it belongs to the key of the contract certificate [V2G20-2507].

    `additional` gives the additional data that may have been protected, each with its name: `additional.readings`.
    Raises `Untrusted` for whatever is wrong with the delivery, and ValueError for a receiver on another curve.
    """
    on_x448 = isinstance(receiver, x448.X448PrivateKey)
    if isinstance(receiver, ec.EllipticCurvePrivateKey) and receiver.curve.name != CURVE.name:
        raise ValueError(f"the key of the receiver is on {receiver.curve.name}, not on {CURVE.name}")
    if on_x448 and not experimental:
        raise untrusted(f"it is for X448: {EXPERIMENTAL}")
    _check_sizes(wrapped, on_x448=on_x448)
    secret = shared(receiver, _unpadded(wrapped.sender) if on_x448 else wrapped.sender)
    variants = [Variant(each, data, name) for each, (data, name) in product(derivations, additional.items())]
    variant, plain = _decrypted(wrapped.encrypted, secret, variants)
    if on_x448:
        edwards, form = ed448_secret.key_of(plain, certificate_key)
        return Opened(edwards, variant.derivation.name, variant.name, form)
    return Opened(_proved(plain, certificate_key), variant.derivation.name, variant.name)


def _plain(key: ContractKey, receiver: ReceiverPublicKey, form: Ed448Form | None) -> bytes:
    """The octets that are encrypted."""
    match key, receiver:
        case ec.EllipticCurvePrivateKey(), ec.EllipticCurvePublicKey() if (
            key.curve.name == receiver.curve.name == CURVE.name
        ):
            return key.private_numbers().private_value.to_bytes(SCALAR_BYTES)
        case ed448.Ed448PrivateKey(), x448.X448PublicKey():
            if form is None:
                raise ValueError(f"a contract with an Ed448 key: {EXPERIMENTAL}: `--experimental short`")
            return ed448_secret.secret_of(key, form)
    raise ValueError(
        f"a contract's {_kind(key)} key cannot be delivered to a receiver on {_kind(receiver)}: "
        "P-521 goes to P-521, Ed448 to X448"
    )


def _kind(key: ContractKey | ReceiverPublicKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return key.curve.name
    return "Ed448" if isinstance(key, ed448.Ed448PrivateKey) else "X448"


def _cipher(derivation: Derivation, secret: bytes) -> AESGCM:
    return AESGCM(derivation.derive(secret, SHA512(), CIPHER_KEY_BYTES))


def _check_sizes(wrapped: WrappedKey, *, on_x448: bool) -> None:
    """Refuse what cannot hold a key of this kind."""
    plain = (ed448_secret.FIELD_BYTES, ed448_secret.SEED_BYTES) if on_x448 else (SCALAR_BYTES,)
    allowed = [IV_BYTES + size + TAG_BYTES for size in plain]
    if len(wrapped.encrypted) not in allowed:
        raise untrusted(f"{len(wrapped.encrypted)} bytes are encrypted, not {' or '.join(map(str, allowed))}")


def _unpadded(sender: bytes) -> bytes:
    """Take zeros off an X448 key that a sender filled up to what the schema wants; they may stand on either side."""
    filler = bytes(SENDER_BYTES - X448_BYTES)
    if len(sender) != SENDER_BYTES:
        return sender
    return sender.removeprefix(filler) if sender.startswith(filler) else sender.removesuffix(filler)


def _decrypted(encrypted: bytes, secret: bytes, variants: Sequence[Variant]) -> tuple[Variant, bytes]:
    """Decrypt by the first variant that GCM confirms; raises `Untrusted` where none fits [V2G20-2504]."""
    for variant in variants:
        cipher = _cipher(variant.derivation, secret)
        with suppress(InvalidTag):
            return variant, cipher.decrypt(encrypted[:IV_BYTES], encrypted[IV_BYTES:], variant.additional)
    tried = ", ".join(f"{each.derivation.name} with {each.name}" for each in variants[:3])
    more = f" and {len(variants) - 3} more" if len(variants) > 3 else ""
    raise untrusted(f"it does not open ({tried}{more}): encrypted for somebody else, or changed [V2G20-2504]")


def _proved(plain: bytes, certificate_key: PublicKeyTypes) -> ec.EllipticCurvePrivateKey:
    """Read a scalar and prove that it is the certificate's."""
    scalar = int.from_bytes(plain)
    if scalar >> SCALAR_BITS:
        raise untrusted("the first 7 bits of what was decrypted are not 0 [V2G20-2678]")
    if not 0 < scalar < CURVE.group_order:
        raise untrusted("what was decrypted is no private key on P-521 [V2G20-2507]")
    key = ec.derive_private_key(scalar, CURVE)
    if key.public_key() != certificate_key:
        raise untrusted("it is not the key of the contract certificate [V2G20-2507]")
    return key
