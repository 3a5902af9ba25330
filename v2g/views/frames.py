"""V2GTP frames taken apart for people: each with its number, and which one is empty, foreign or cut off."""

from __future__ import annotations

from v2g.errors import Undecodable
from v2g.record import Record
from v2g.v2gtp import HEADER_SIZE, INVERSE, VERSION, Header, header_of


class Piece(Record):
    """The payload of a frame, of which bytes at the end may be missing: the header announces `announced`."""

    number: int
    payload_type: int
    payload: bytes
    announced: int

    @property
    def is_cut(self) -> bool:
        """Whether bytes are missing."""
        return len(self.payload) < self.announced


def frames(data: bytes, first: int = 1) -> tuple[list[Piece], list[str]]:
    """Take frames of any payload type apart, numbered from `first`; tells also what is wrong with which."""
    found: list[Piece] = []
    problems: list[str] = []
    at, number = 0, first
    while at < len(data):
        try:
            header = header_of(data[at : at + HEADER_SIZE])
        except Undecodable as error:
            return found, [*problems, f"frame {number}: {error}"]
        payload = data[at + HEADER_SIZE : at + HEADER_SIZE + header.length]
        if problem := _problem(header, len(payload)):
            problems.append(f"frame {number}: {problem}")
        if header.is_ours and payload:
            found.append(
                Piece(number=number, payload_type=header.payload_type, payload=payload, announced=header.length)
            )
        at += HEADER_SIZE + header.length
        number += 1
    return found, problems


def _problem(header: Header, present: int) -> str:
    """Tell what is wrong with a frame of which so many bytes of payload are there; empty if nothing is."""
    if not header.is_ours:
        version = f"version {header.version:02x} {header.inverse:02x} is not {VERSION:02x} {INVERSE:02x}"
        return f"{version}; its {header.length} bytes are left out"
    if not header.length:
        return "it is empty; its header announces 0 bytes"
    return f"its header announces {header.length} bytes, {present} are there" if present < header.length else ""
