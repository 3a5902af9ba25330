"""Bytes that were once a message: the ways in which a wire, a bug or an attacker changes them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """Change a message a little; `other` is one to take pieces from."""
    way: Callable[[bytes, bytes, Random], bytes] = random.choices(
        (_flipped, _truncated, _shifted, _repeated, _spliced, _extended),
        (50, 10, 10, 10, 10, 10),
    )[0]
    changed = way(data, other, random)
    return _flipped(changed, other, random) if random.random() < 0.2 else changed


def _flipped(data: bytes, _other: bytes, random: Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(random.randint(1, 3)):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _truncated(data: bytes, _other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _shifted(data: bytes, _other: bytes, random: Random) -> bytes:
    """Take some bits out, or put some in; what follows moves."""
    digits = "".join(f"{octet:08b}" for octet in data)
    place, width = random.randrange(len(digits) + 1), random.randint(1, 9)
    extra = f"{random.getrandbits(width):0{width}b}" if random.random() < 0.5 else ""
    changed = digits[:place] + extra + digits[place if extra else place + width :]
    changed += "0" * (-len(changed) % 8)
    return int(changed or "0", 2).to_bytes(len(changed) // 8, "big")


def _repeated(data: bytes, _other: bytes, random: Random) -> bytes:
    """Repeat a piece, so that a list may grow beyond its bound."""
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.randint(1, 40))
    return data[:end] + data[start:end] * random.randint(1, 30) + data[end:]


def _spliced(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _extended(data: bytes, _other: bytes, random: Random) -> bytes:
    return data + random.randbytes(random.randint(1, 4))
