"""From bytes that people hand over to messages: each stream in them, read by the schema set that fits."""

from __future__ import annotations

from dataclasses import dataclass

from v2g.errors import Undecodable
from v2g.protocols import SCHEMAS, schema_names
from v2g.v2gtp import INVERSE, VERSION, PayloadType
from v2g.views.frames import Piece, frames
from v2g.views.guess import Fit, Guess, guess
from v2g.views.input import Given, is_framed

NOTHING = Guess(fits=(), failures=())
DISCOVERY = (PayloadType.SDP_REQUEST, PayloadType.SDP_RESPONSE)
"""Payload types that carry no EXI, and are known nevertheless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One stream and what was made of it.

    `number` counts frames and messages from 1 and is 0 for one bare stream. Of a frame that was cut off, `announced`
    bytes were to come. `sdp` tells the fields of a datagram of SDP, on which no schema set is tried. `instead` is the
    document that was found first, with notes, where the fragment needs none.
    """

    data: bytes
    guess: Guess
    fragment: bool
    number: int = 0
    payload_type: int | None = None
    announced: int = 0
    sdp: dict[str, str | int] | None = None
    instead: Fit | None = None

    @property
    def where(self) -> str:
        """Which one it is, for the beginning of an error."""
        kind = "message" if self.payload_type is None else "frame"
        return f"{kind} {self.number}: " if self.number else ""

    @property
    def unexpected(self) -> bool:
        """Whether the payload type does not carry messages of the schema set found."""
        return self.payload_type is not None and self.guess.fits[0].schema not in schema_names(self.payload_type)

    @property
    def problems(self) -> list[str]:
        """Why nothing could be read, or hardly anything; one line for each reason, none where all is well."""
        if self.guess.fits:
            return [self.where + told for told in [_left_over(self.guess.fits[0], len(self.data))] if told]
        if self.sdp is not None or len(self.data) < self.announced:
            return []
        if not self.guess.failures:
            kind = named(self.payload_type)
            return [f"{self.where}payload type {kind} carries no EXI; say --schema to try all the same"]
        reasons = self.guess.reasons
        if len(reasons) == 1:
            return [self.where + reasons[0]]
        return [f"{self.where}no schema set reads this:", *(f"  {reason}" for reason in reasons)]


def looks(given: Given, name: str = "", *, fragment: bool | None = None) -> tuple[list[Look], list[str]]:
    """Read bare streams or V2GTP frames, by the schema set of this name or else by all in question.

    Without word whether they are fragments, documents are tried first, and fragments where no document is clean.
    Tells also what is wrong with the frames themselves.
    """
    found: list[Look] = []
    problems: list[str] = []
    streams = _streams(given)
    for stream in streams:
        if is_framed(stream):
            pieces, wrong = frames(stream, len(found) + 1)
            found += [_framed(piece, name, fragment=bool(fragment)) for piece in pieces]
            problems += wrong
        else:
            found.append(_bare(stream, name, len(found) + 1 if len(streams) > 1 else 0, fragment=fragment))
    return found, problems


def hint(look: Look, name: str = "") -> str:
    """Tell what would have read a stream that is not read well; empty if nothing would."""
    fits = look.guess.fits
    if look.payload_type in DISCOVERY or look.guess.clean:
        return ""
    if name:
        other = guess(look.data, SCHEMAS, fragment=look.fragment)
        if other.clean and other.fits[0].schema != name:
            return f"{look.where}{other.fits[0].schema} reads it without a note: say so, or leave out --schema"
    if not look.fragment and look.problems:
        best = guess(look.data, SCHEMAS, fragment=True).fits[:1]
        if best and best[0].exact:
            other_set = f" --schema {best[0].schema}" if name not in ("", best[0].schema) else ""
            told = f"as a fragment it is {best[0].root.name} of {best[0].schema}: say --fragment{other_set}"
            return look.where + told
    begins = look.data[:2]
    if not fits and look.payload_type is None and (begins[:1] == bytes((VERSION,)) or begins[1:] == bytes((INVERSE,))):
        return f"{look.where}nor is it a V2GTP frame, which begins with 01 fe and not with {begins.hex(' ')}"
    return ""


def named(payload_type: int | None) -> str:
    """Tell a payload type with its name, where it has one."""
    if payload_type in set(PayloadType):
        return f"{payload_type:#06x} ({PayloadType(payload_type).name.replace('_', ' ').lower()})"
    return f"{payload_type:#06x}"


def _streams(given: Given) -> tuple[bytes, ...]:
    """Tell the streams: each line is one if all begin like messages and they are not together one message."""
    together = given.lines and not is_framed(given.data) and guess(given.data, SCHEMAS)
    if not given.lines or (together and any(fit.exact for fit in together.fits)):
        return (given.data,)
    return given.lines


def _bare(data: bytes, name: str, number: int, *, fragment: bool | None) -> Look:
    names = (name,) if name else SCHEMAS
    found = guess(data, names, fragment=bool(fragment))
    if fragment is None and not found.clean:
        other = guess(data, names, fragment=True)
        if other.clean:
            instead = found.fits[0] if found.fits else None
            return Look(data=data, guess=other, fragment=True, number=number, instead=instead)
    return Look(data=data, guess=found, fragment=bool(fragment), number=number)


def _framed(piece: Piece, name: str, *, fragment: bool) -> Look:
    if piece.payload_type in DISCOVERY and not piece.is_cut:
        return _discovery(piece)
    found = _guess(piece.payload, piece.payload_type, name, fragment=fragment)
    if piece.is_cut and not (found.fits and found.fits[0].exact):
        found = Guess(fits=(), failures=found.failures)
    return Look(
        data=piece.payload,
        guess=found,
        fragment=fragment,
        number=piece.number,
        payload_type=piece.payload_type,
        announced=piece.announced,
    )


def _discovery(piece: Piece) -> Look:
    from v2g.views.discovery import to_plain

    sdp, found = None, NOTHING
    try:
        sdp = to_plain(piece.payload_type, piece.payload)
    except Undecodable as error:
        found = Guess(fits=(), failures=(("sdp", error),))
    return Look(
        data=piece.payload,
        guess=found,
        fragment=False,
        number=piece.number,
        payload_type=piece.payload_type,
        sdp=sdp,
    )


def _guess(data: bytes, payload_type: int, name: str, *, fragment: bool) -> Guess:
    """Guess among what the payload type carries; where none of that fits, among all others: peers err there."""
    if name:
        return guess(data, (name,), fragment=fragment)
    likely = schema_names(payload_type)
    if not likely:
        return NOTHING
    first = guess(data, likely, fragment=fragment)
    if first.fits:
        return first
    others = guess(data, [other for other in SCHEMAS if other not in likely], fragment=fragment)
    return Guess(fits=tuple(fit for fit in others.fits if fit.exact), failures=first.failures)


def _left_over(fit: Fit, size: int) -> str:
    """Tell that most of the bytes are no part of the message that was found."""
    if 2 * fit.spare <= size:
        return ""
    return f"{fit.root.name} of {fit.schema} takes {size - fit.spare} of {size} bytes: this is hardly what was sent"
