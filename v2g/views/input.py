"""Bytes as people hand them over: hexadecimal text or the bytes themselves, a bare stream or V2GTP frames."""

from __future__ import annotations

import re
import string

from v2g.errors import Undecodable
from v2g.v2gtp import INVERSE, VERSION, Frame, Framer

LARGEST = 8 << 20
"""Bytes of input that are looked at, whatever its form; far more than any message takes as text."""

_FILLING = re.compile(r"0[xX]|[\s:,_-]+")
_FRAMED = bytes((VERSION, INVERSE))


def from_hex(text: str) -> bytes:
    """Read hex; spaces, line breaks, colons, commas, dashes and `0x` may stand between bytes. Raises ValueError."""
    digits = _FILLING.sub("", text)
    strange = next((character for character in digits if character not in string.hexdigits), None)
    if strange is not None:
        raise ValueError(f"{strange!a} is no hexadecimal digit")
    if len(digits) % 2:
        raise ValueError(f"{len(digits)} hexadecimal digits are no whole bytes; is one missing?")
    return bytes.fromhex(digits)


def from_content(content: bytes) -> bytes:
    """Read the content of a file: hex if it is ASCII text, else the bytes as they are. Raises ValueError.

    No confusion can arise: an EXI header, also behind a cookie, and a V2GTP header hold a byte beyond ASCII.
    """
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes; hand over fewer at a time")
    return from_hex(content.decode("ascii")) if content.isascii() else content


def is_framed(data: bytes) -> bool:
    """Tell whether V2GTP frames begin here; no EXI stream begins so."""
    return data.startswith(_FRAMED)


def frames(data: bytes) -> tuple[list[Frame], Undecodable | None]:
    """Take V2GTP frames apart, of any payload type; tells those that are whole, and what is wrong after them."""
    framer = Framer(range(1 << 16))
    framer.feed(data)
    found = []
    try:
        while (frame := framer.next()) is not None:
            found.append(frame)
    except Undecodable as error:
        return found, error
    if framer.skipped:
        return found, Undecodable(f"{framer.skipped} of the frames are empty or of another version", path="V2GTP")
    if framer.pending:
        return found, Undecodable("the last frame ends too early", path="V2GTP", expected="all bytes it announces")
    return found, None
