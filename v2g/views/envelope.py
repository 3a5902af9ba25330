"""What surrounds a message in JSON output: its schema set, what else fits, how it travelled, what was unusual.

{"schema": "iso2", "also_fits": [], "fragment": false, "payload_type": "0x8001", "notes": [...], "message": {...}}
"""

from __future__ import annotations

import re
from typing import Any

from v2g.exi.notes import Note
from v2g.record import Record
from v2g.views.guess import Guess
from v2g.views.json import to_json
from v2g.views.values import quoted

KEYS = ("schema", "also_fits", "fragment", "payload_type", "notes", "message")
_PAYLOAD_TYPE = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,4}")


class Envelope(Record):
    """A message in JSON with what is known about it; `schema` is empty and `payload_type` None where nobody says."""

    message: Any
    schema: str = ""
    fragment: bool = False
    payload_type: int | None = None


def to_envelope(guess: Guess, *, fragment: bool, payload_type: int | None) -> dict[str, Any]:
    """Tell what was read, by the best fit."""
    fit = guess.fits[0]
    return {
        "schema": fit.schema,
        "also_fits": list(guess.also),
        "fragment": fragment,
        "payload_type": None if payload_type is None else f"{payload_type:#06x}",
        "notes": [_note(note) for note in fit.decoded.notes],
        "message": to_json(fit.decoded.message, fit.root.name),
    }


def from_envelope(plain: Any) -> Envelope:
    """Read an envelope, or take a bare message for one that says nothing. Raises ValueError."""
    if not (isinstance(plain, dict) and "message" in plain):
        return Envelope(message=plain)
    for key in plain:
        if key not in KEYS:
            raise ValueError(f"{quoted(key)} is unknown beside a message; known are {', '.join(KEYS)}")
    schema, fragment = plain.get("schema", ""), plain.get("fragment", False)
    match schema, fragment:
        case str(), bool():
            payload_type = _payload_type(plain.get("payload_type"))
            return Envelope(message=plain["message"], schema=schema, fragment=fragment, payload_type=payload_type)
    raise ValueError("schema is a text and fragment true or false; correct or remove them")


def _note(note: Note) -> dict[str, Any]:
    told: dict[str, Any] = {"quirk": note.quirk, "path": note.path, "detail": note.detail}
    return told if note.value is None else told | {"value": note.value, "limit": note.limit}


def _payload_type(plain: Any) -> int | None:
    match plain:
        case None:
            return None
        case str() if _PAYLOAD_TYPE.fullmatch(plain):
            return int(plain, 16)
    raise ValueError(f'payload_type: {quoted(plain)} is none; write it as "0x8001"')
