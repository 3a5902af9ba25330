"""What surrounds a message in JSON output: its schema set, what else fits, how it travelled, what was unusual.

{"schema": "iso2", "also_fits": [], "fragment": false, "payload_type": "0x8001", "notes": [...], "message": {...}}

Of a frame that is no message only its bytes are told, and why:

{"payload_type": "0x8001", "fragment": false, "hex": "80980200", "errors": [...]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from v2g.exi.notes import Note
from v2g.record import Record
from v2g.views.guess import Guess
from v2g.views.json import to_json
from v2g.views.nearest import nearest
from v2g.views.values import quoted

KEYS = ("schema", "also_fits", "fragment", "payload_type", "notes", "message")
UNREAD_KEYS = ("payload_type", "fragment", "hex", "errors", "sdp")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_PAYLOAD_TYPE = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{1,4}")


class Envelope(Record):
    """A message, in JSON or as an element of XML, with what is known about it, or the bytes that are none.

    `schema` is empty and `payload_type` None where nobody says; `unread` is empty beside a message.
    """

    message: Any
    schema: str = ""
    fragment: bool = False
    payload_type: int | None = None
    unread: bytes = b""


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
    if not isinstance(plain, dict) or not plain.keys() & {"message", "hex"}:
        return Envelope(message=plain)
    known = KEYS if "message" in plain else UNREAD_KEYS
    for key in plain:
        if key not in known:
            beside = "a message" if "message" in plain else "hex"
            raise ValueError(f"{quoted(key)} is unknown beside {beside}; {nearest(key, known)}")
    return envelope(plain, plain.get("message"))


def envelope(said: Mapping[str, Any], message: Any) -> Envelope:
    """Take a message, or the hex of none, with what is said about it. Raises ValueError."""
    payload_type = _payload_type(said.get("payload_type"))
    if "hex" in said:
        return Envelope(message=None, payload_type=payload_type, unread=_unread(said["hex"]))
    match said.get("schema", ""), said.get("fragment", False):
        case str(schema), bool(fragment):
            return Envelope(message=message, schema=schema, fragment=fragment, payload_type=payload_type)
    raise ValueError("schema is a text and fragment true or false; correct or remove them")


def _note(note: Note) -> dict[str, Any]:
    told: dict[str, Any] = {"quirk": note.quirk, "path": note.path, "detail": note.detail}
    return told if note.value is None else told | {"value": note.value, "limit": note.limit}


def _unread(plain: Any) -> bytes:
    if isinstance(plain, str) and _HEX.fullmatch(plain):
        return bytes.fromhex(plain)
    raise ValueError(f"hex: {quoted(plain)} is none; write two digits for each byte")


def _payload_type(plain: Any) -> int | None:
    match plain:
        case None:
            return None
        case str() if _PAYLOAD_TYPE.fullmatch(plain):
            return int(plain, 16)
    raise ValueError(f'payload_type: {quoted(plain)} is none; write it as "0x8001"')
