"""What both editions share of a delivered key: how it travels, what comes of it, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed448

from v2g.errors import Untrusted

Key = TypeVar("Key", bound=ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey, covariant=True)
RULE = "contract key"


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """What is sent: the encrypted private key with its IV and, in -20, its tag; and the sender's public key."""

    encrypted: bytes
    sender: bytes


@dataclass(frozen=True, slots=True)
class Opened(Generic[Key]):
    """A key that belongs to its certificate, and the variants that fitted.

    `derivation` names the key derivation, `additional` the additional data of -20, `form` what is sent of an Ed448 key.
    """

    key: Key
    derivation: str
    additional: str = ""
    form: str = ""

    def __str__(self) -> str:
        data = f", additional data {self.additional}" if self.additional else ""
        return f"key derivation {self.derivation}{data}{f', {self.form}' if self.form else ''}"


def untrusted(why: str) -> Untrusted:
    """Say why a delivered key is not taken."""
    return Untrusted(RULE, why)
