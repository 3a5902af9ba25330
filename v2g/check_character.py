"""The check characters of account names, computed over what precedes: that of ISO 15118, and that of DIN SPEC 91286.

Both take capital letters and digits alone. How the check characters of PCID, SECCID and EVCCID are computed is not
free to read (unverified): nothing here computes them.
"""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Four digits per character, packed: bit 0, bit 1, then two base-3 digits of two bits each.
_PACKED = (
    0, 16, 32, 4, 20, 36, 8, 24, 40, 2, 18, 34, 6, 22, 38, 10, 26, 42,
    1, 17, 33, 5, 21, 37, 9, 25, 41, 3, 19, 35, 7, 23, 39, 11, 27, 43,
)  # fmt: skip

Pair = tuple[int, int]
Matrix = tuple[int, int, int, int]


def iso(plain: str) -> str:
    """Compute the check character of the 14 characters of an EMAID: it notices each one that is wrong or swapped."""
    twos, threes, p, q = (0, 0), (0, 0), (0, 1, 1, 1), (0, 1, 1, 2)
    p_power, q_power = p, q
    for character in plain:
        value = _PACKED[ALPHABET.index(character)]
        twos = _plus(twos, _times((value & 1, value >> 1 & 1), p_power, 2), 2)
        threes = _plus(threes, _times((value >> 2 & 3, value >> 4), q_power, 3), 3)
        p_power = _product(p_power, p, 2)
        q_power = _product(q_power, q, 3)
    third, fourth = _times(threes, (0, 2, 2, 1), 3)
    return ALPHABET[_PACKED.index(twos[0] | twos[1] << 1 | third << 2 | fourth << 4)]


def din(plain: str) -> str:
    """Compute the check character of a contract id of DIN SPEC 91286: a digit, or X for 10.

    Letters count as the two digits of 10 to 35; the digits are weighted by 1, 2, 4 and so on, modulo 11.
    """
    digits = "".join(str(ALPHABET.index(character)) for character in plain)
    rest = sum(int(digit) << place for place, digit in enumerate(digits)) % 11
    return "X" if rest == 10 else str(rest)


def _plus(a: Pair, b: Pair, modulus: int) -> Pair:
    return (a[0] + b[0]) % modulus, (a[1] + b[1]) % modulus


def _times(row: Pair, m: Matrix, modulus: int) -> Pair:
    """Multiply a row vector by a 2x2 matrix, given row by row."""
    return (row[0] * m[0] + row[1] * m[2]) % modulus, (row[0] * m[1] + row[1] * m[3]) % modulus


def _product(a: Matrix, b: Matrix, modulus: int) -> Matrix:
    return (*_times((a[0], a[1]), b, modulus), *_times((a[2], a[3]), b, modulus))
