"""What generated code calls for the less common bits, and the bounds that hold whatever a declaration says.

Reading: `v` is the message as one number, `p` how many of its bits are still unread (what was read may be forgotten);
a negative shift, which raises ValueError, is the end of the message. Writing: `a` holds the last `n` bits, `out` the
whole bytes before them. Anything off the straight path raises `Deviation`; the slow way (`explain`, `compose`) then
says what it was.
"""

from __future__ import annotations

MOST_CHARACTERS = 4_096
MOST_OCTETS = 16_384
EXCESS = 8
"""A declared length may be exceeded to its double and so much more: the field errs, but not by orders of magnitude."""
MOST_ITEMS = 1_024
"""Items of all lists without a declared bound in one stream; declared bounds multiply to no more than a frame holds."""
MOST_GROUPS = 10
"""7-bit groups of a number that fits 64 bits."""
_SHIFTS = tuple(range(7, 7 * MOST_GROUPS, 7))
MOST_LONG_GROUPS = 293
"""7-bit groups of a number without bounds (certificate serial numbers): 2,048 bits."""

SHORT_LENGTH = 127
"""Longest length that takes one octet."""

FLUSH_BITS = 2_048
TRIM_BITS = 1_024
HIGHEST_CHARACTER = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)


class Deviation(Exception):
    """The bits, or the value to send, are not what the straight path is made for."""


def tolerated(declared: int | None, cap: int) -> int:
    """Tell how long a value may be where its declaration is not insisted on, never above `cap`."""
    return cap if declared is None else min(2 * declared + EXCESS, cap)


def longer(v: int, p: int, x: int, high: int) -> tuple[int, int]:
    """Go on with an Unsigned Integer whose first octet was `x`; the result is at most `high`."""
    x &= 127
    for shift in _SHIFTS:
        p -= 8
        octet = v >> p & 255
        if octet < 128:
            x |= octet << shift
            break
        x |= (octet & 127) << shift
    else:
        raise Deviation
    if x > high:
        raise Deviation
    return x, p


def longest(v: int, p: int, x: int) -> tuple[int, int]:
    """Go on with an Unsigned Integer without a bound of its own."""
    x &= 127
    shift = 7
    while True:
        p -= 8
        octet = v >> p & 255
        x |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            return x, p
        if shift == 7 * MOST_LONG_GROUPS:
            raise Deviation


def text(v: int, p: int, length: int) -> tuple[str, int]:
    """Read `length` characters."""
    bits = length << 3
    if bits <= p:
        octets = (v >> p - bits & (1 << bits) - 1).to_bytes(length)
        if octets.isascii():
            return octets.decode(), p - bits
    characters = []
    for _ in range(length):
        if v.bit_length() - p > TRIM_BITS:
            v ^= v >> p << p
        p -= 8
        x = v >> p & 255
        if x > 127:
            x, p = longer(v, p, x, HIGHEST_CHARACTER)
            if x in SURROGATES:
                raise Deviation
        characters.append(chr(x))
    return "".join(characters), p


def put_integer(a: int, n: int, x: int, high: int | None) -> tuple[int, int]:
    """Write an Integer: a sign bit, then the magnitude; minus one has the magnitude zero."""
    return put_number(a << 1 | 1, n + 1, -1 - x, high) if x < 0 else put_number(a << 1, n + 1, x, high)


def put_number(a: int, n: int, x: int, high: int | None) -> tuple[int, int]:
    """Write an Unsigned Integer of at most `high`, or as long as we would read it."""
    if x < 0 or (x > high if high is not None else x >> 7 * MOST_LONG_GROUPS):
        raise Deviation
    groups, bits = 0, 8
    while x > 127:
        groups = groups << 8 | 128 | x & 127
        x >>= 7
        bits += 8
    return a << bits | groups << 8 | x, n + bits


def put_text(a: int, n: int, value: str, least: int, most: int) -> tuple[int, int]:
    """Write a string: its length plus two (lower lengths point into tables that we never use), then its characters."""
    length = len(value)
    if not least <= length <= most:
        raise Deviation
    a, n = put_number(a, n, length + 2, None)
    if value.isascii():
        return a << (length << 3) | int.from_bytes(value.encode()), n + (length << 3)
    for character in value:
        if ord(character) in SURROGATES:
            raise Deviation
        a, n = put_number(a, n, ord(character), None)
    return a, n


def put_octets(a: int, n: int, value: bytes, out: bytearray) -> tuple[int, int]:
    """Write a binary: its length, then its octets."""
    length = len(value)
    a, n = put_number(a, n, length, None)
    # b"" + lets nothing pass but octets; a list of numbers would do for from_bytes.
    a, n = a << (length << 3) | int.from_bytes(b"" + value), n + (length << 3)
    return flush(a, n, out) if n > FLUSH_BITS else (a, n)


def flush(a: int, n: int, out: bytearray) -> tuple[int, int]:
    """Move whole bytes to `out`, so that what is shifted stays short."""
    rest = n & 7
    out += (a >> rest).to_bytes(n >> 3)
    return a & (1 << rest) - 1, rest
