"""Bytes as people hand them over: hexadecimal text in many shapes, or the bytes themselves."""

from __future__ import annotations

import re
import string

from v2g.exi.frame import COOKIE, HEADER
from v2g.record import Record
from v2g.v2gtp import INVERSE, VERSION

LARGEST = 8 << 20
"""Bytes of input that are looked at, whatever its form; far more than any message takes as text."""

_FILLING = re.compile(r"0[xX]|\\x|[\s:,{}_-]+")
_FRAMED = bytes((VERSION, INVERSE))
_BEGINNINGS = (_FRAMED, bytes((HEADER,)), COOKIE + bytes((HEADER,)))
_BYTE_ORDERS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CAPTURES = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")
"""How files of pcap and pcapng begin."""
_DUMP = re.compile(r"(?:0x)?0{4,16}(?::[ \t]|[ ]{2})")
"""How a hex dump begins: an offset of 0."""
_DUMP_LINE = re.compile(
    r"(?:0x)?([0-9A-Fa-f]{4,16}):[ \t]+((?:[0-9A-Fa-f]{2})+(?: (?:[0-9A-Fa-f]{2})+)*)(?:(?:  |\t).*)?"
    r"|([0-9A-Fa-f]{4,16})(?:[ \t]+([0-9A-Fa-f]{2}(?: {1,2}[0-9A-Fa-f]{2})*)(?:[ \t]+\|.*)?)?"
)
"""A line of xxd and tcpdump, or of hexdump -C: the offset, the bytes, and the characters, which may look like hex."""


class Given(Record):
    """What was handed over: all its bytes, and those of each line where every line begins like a message."""

    data: bytes
    lines: tuple[bytes, ...] = ()


def from_hex(text: str) -> Given:
    r"""Read hex. Raises ValueError naming line and column of what is none.

    Spaces, line breaks, colons, commas, hyphens, underscores, braces, `0x` and `\x` may stand between bytes; the
    output of xxd, tcpdump -x and hexdump -C is taken too.
    """
    text = text.strip()
    if _DUMP.match(text):
        return Given(data=_from_dump(text.splitlines()))
    digits = [_FILLING.sub("", line) for line in text.splitlines()]
    for number, line in enumerate(digits):
        strange = next((character for character in line if character not in string.hexdigits), None)
        if strange is not None:
            column = text.splitlines()[number].index(strange) + 1
            raise ValueError(f"{strange!a} is no hexadecimal digit (line {number + 1}, column {column})")
    whole = "".join(digits)
    if len(whole) % 2:
        raise ValueError(f"{len(whole)} hexadecimal digits are no whole bytes; is one missing{_odd(digits)}?")
    return Given(data=bytes.fromhex(whole), lines=_messages([line for line in digits if line]))


def from_content(content: bytes) -> Given:
    """Read the content of a file: hex if it is text in ASCII or UTF-16, else the bytes. Raises ValueError.

    No confusion can arise: an EXI header, also behind a cookie, and a V2GTP header hold a byte beyond ASCII, and
    neither begins like a byte order mark.
    """
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes; hand over fewer at a time")
    if content.startswith(_CAPTURES):
        raise ValueError("a capture of packets (pcap); hand over what Wireshark or tshark tells of its TCP stream")
    for mark, encoding in _BYTE_ORDERS.items():
        if content.startswith(mark):
            try:
                return from_hex(content.decode(encoding))
            except UnicodeDecodeError as error:
                raise ValueError(f"it begins as text in {encoding}, but byte {error.start} is none") from error
    return from_hex(content.decode("ascii")) if content.isascii() else Given(data=content)


def is_framed(data: bytes) -> bool:
    """Tell whether V2GTP frames begin here; no EXI stream begins so."""
    return data.startswith(_FRAMED)


def _messages(lines: list[str]) -> tuple[bytes, ...]:
    """Tell the bytes of each line if every one is whole and begins like a message."""
    if len(lines) < 2 or any(len(line) % 2 for line in lines):
        return ()
    found = tuple(bytes.fromhex(line) for line in lines)
    return found if all(each.startswith(_BEGINNINGS) for each in found) else ()


def _odd(lines: list[str]) -> str:
    """Tell the line with an odd number of digits, if there is but one of several."""
    odd = [number for number, line in enumerate(lines, 1) if len(line) % 2]
    return f" in line {odd[0]}" if len(odd) == 1 and len(lines) > 1 else ""


def _from_dump(lines: list[str]) -> bytes:
    """Read a hex dump, whose offsets must go on without a gap."""
    data = b""
    for number, line in enumerate(lines, 1):
        found = _DUMP_LINE.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"line {number} is no line of a hex dump as line 1 is")
        offset, octets = found[1] or found[3], found[2] or found[4] or ""
        if int(offset, 16) != len(data):
            raise ValueError(f"line {number} of the hex dump begins at {offset}, and {len(data):x} bytes precede it")
        data += bytes.fromhex(octets)
    return data
