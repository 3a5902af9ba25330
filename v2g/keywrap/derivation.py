"""From the secret of two sides to the key of the cipher: the standard's derivation, and those of its misreaders.

Both editions take the concatenation KDF of NIST SP 800-56A over 00000001, Z and OtherInfo [V2G2-818], [V2G20-2535].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

OTHER_INFO = b"\x01\x55\x56"
"""AlgorithmID, PartyUInfo, PartyVInfo [V2G2-818]."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """One way to derive a key; `hash` None is the edition's own, SHA-256 in -2 and SHA-512 in -20."""

    name: str
    function: Literal["concat", "x963"]
    info: bytes
    hash: HashAlgorithm | None = None

    def derive(self, secret: bytes, own: HashAlgorithm, size: int) -> bytes:
        """Derive a key of `size` bytes with the edition's own hash."""
        algorithm = self.hash or own
        kdf = ConcatKDFHash if self.function == "concat" else X963KDF
        return kdf(algorithm, size, self.info).derive(secret)


STANDARD = Derivation("concat-015556", "concat", OTHER_INFO)
DERIVATIONS = (
    STANDARD,
    Derivation("concat-empty", "concat", b""),  # seen in -20 vectors of one stack
    Derivation("x963-empty", "x963", b""),  # seen in -2 vectors of the same
    Derivation("x963-015556", "x963", OTHER_INFO),
    Derivation("concat-015556-sha256", "concat", OTHER_INFO, SHA256()),  # -20 with the hash of -2
)
"""The standard's first, then the others in the order they are tried."""


def derivation(name: str) -> Derivation:
    """Tell the derivation of a name. Raises ValueError naming all."""
    for each in DERIVATIONS:
        if each.name == name:
            return each
    raise ValueError(f"no key derivation is named {name!r}; known are {', '.join(each.name for each in DERIVATIONS)}")
