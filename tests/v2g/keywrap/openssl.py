"""The openssl command as a second pair of hands: agreement, key derivation and AES; GHASH is written out here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MISSING = shutil.which("openssl") is None


def openssl(*words: str, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


def agreed(private: Path, public: Path) -> bytes:
    """The shared secret of two PEM files."""
    return openssl("pkeyutl", "-derive", "-inkey", str(private), "-peerkey", str(public))


def derived(function: str, secret: bytes, info: bytes, digest: str, size: int) -> bytes:
    """A key by `openssl kdf`; SSKDF is the concatenation KDF."""
    option = [f"digest:{digest}", f"hexkey:{secret.hex()}", *([f"hexinfo:{info.hex()}"] if info else [])]
    words = [word for each in option for word in ("-kdfopt", each)]
    return openssl("kdf", "-keylen", str(size), "-binary", *words, function)


def gcm(key: bytes, iv: bytes, plain: bytes, additional: bytes) -> bytes:
    """AES-256-GCM (SP 800-38D) with an IV of 12 bytes: what is encrypted, then the tag."""

    def counter(number: int, data: bytes) -> bytes:
        start = (iv + number.to_bytes(4)).hex()
        return openssl("enc", "-aes-256-ctr", "-K", key.hex(), "-iv", start, data=data)

    hashing = int.from_bytes(openssl("enc", "-aes-256-ecb", "-nopad", "-K", key.hex(), data=bytes(16)))
    encrypted = counter(2, plain)
    blocks = _padded(additional) + _padded(encrypted)
    blocks += (8 * len(additional)).to_bytes(8) + (8 * len(encrypted)).to_bytes(8)
    sum_ = 0
    for at in range(0, len(blocks), 16):
        sum_ = _product(sum_ ^ int.from_bytes(blocks[at : at + 16]), hashing)
    return encrypted + counter(1, sum_.to_bytes(16))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def _product(one: int, other: int) -> int:
    """Multiply in GF(2^128), bits reversed as GCM has them."""
    product = 0
    for place in range(127, -1, -1):
        if one >> place & 1:
            product ^= other
        other = other >> 1 ^ (0xE1 << 120 if other & 1 else 0)
    return product
