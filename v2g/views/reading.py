"""From bytes that people hand over to messages: each stream in them, read by the schema set that fits."""

from __future__ import annotations

from dataclasses import dataclass

from v2g.errors import Undecodable
from v2g.protocols import SCHEMAS, schema_names
from v2g.v2gtp import PayloadType
from v2g.views.guess import Guess, guess
from v2g.views.input import frames, is_framed

NOTHING = Guess(fits=(), failures=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One stream and what was made of it; `number` counts V2GTP frames from 1 and is 0 for a bare stream."""

    data: bytes
    guess: Guess
    fragment: bool
    number: int = 0
    payload_type: int | None = None

    @property
    def unexpected(self) -> bool:
        """Whether the payload type does not carry messages of the schema set found."""
        return self.payload_type is not None and self.guess.fits[0].schema not in schema_names(self.payload_type)

    @property
    def problems(self) -> list[str]:
        """Why nothing could be read, one line for each reason; none when something was."""
        if self.guess.fits:
            return []
        where = f"frame {self.number}: " if self.number else ""
        if not self.guess.failures:
            return [f"{where}payload type {_named(self.payload_type)} carries no EXI; say --schema to try all the same"]
        reasons = self.guess.reasons
        if len(reasons) == 1:
            return [where + reasons[0]]
        return [f"{where}no schema set reads this:", *(f"  {reason}" for reason in reasons)]


def looks(data: bytes, name: str = "", *, fragment: bool = False) -> tuple[list[Look], Undecodable | None]:
    """Read a bare stream or V2GTP frames, by the schema set of this name or else by all in question.

    Tells also what is wrong behind the last frame, if something is.
    """
    if not is_framed(data):
        names = (name,) if name else SCHEMAS
        return [Look(data=data, guess=guess(data, names, fragment=fragment), fragment=fragment)], None
    found, error = frames(data)
    return [
        Look(
            data=frame.payload,
            guess=_guess(frame.payload, frame.payload_type, name, fragment=fragment),
            fragment=fragment,
            number=number,
            payload_type=frame.payload_type,
        )
        for number, frame in enumerate(found, 1)
    ], error


def hint(look: Look) -> str:
    """Tell what an unreadable document would be as a fragment; empty if that is nothing either."""
    if look.fragment or look.guess.fits:
        return ""
    best = guess(look.data, SCHEMAS, fragment=True).fits[:1]
    return "".join(f"as a fragment it is {fit.root.name} of {fit.schema}: say --fragment" for fit in best if fit.exact)


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


def _named(payload_type: int | None) -> str:
    if payload_type in set(PayloadType):
        return f"{payload_type:#06x} ({PayloadType(payload_type).name.replace('_', ' ').lower()})"
    return f"{payload_type:#06x}"
