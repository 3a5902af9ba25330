"""What `decode` prints of each stream: a tree, JSON, XML, or every bit with its meaning."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from v2g.exi.trace import Step
from v2g.protocols import SCHEMAS, schema
from v2g.v2gtp import HEADER_SIZE, frame
from v2g.views.envelope import to_envelope
from v2g.views.guess import Fit
from v2g.views.reading import Look, named
from v2g.views.tree import to_tree

Form = Literal["tree", "json", "xml", "explain"]

_HYPHENS = re.compile("-(?=-)")
BITS_SHOWN = 32
"""Longer runs of bits, those of texts and octets, are cut: their meaning says what they are."""


def page(looks: list[Look], form: Form, *, width: int) -> str:
    """Tell all streams in one form."""
    if form == "json":
        objects = [_object(look) for look in looks]
        return json.dumps(objects[0] if len(objects) == 1 else objects, indent=2) + "\n"
    if form == "xml" and len(looks) > 1:
        from v2g.views.bundle import bundle

        return bundle(xml(look) for look in looks)
    texts = [_text(look, form, width) for look in looks]
    return "\n".join(text for text in texts if text)


def xml(look: Look) -> str:
    """Tell the message as XML, below what is known about it. Raises ModuleNotFoundError without lxml."""
    from v2g.views.bundle import instruction, unread
    from v2g.views.xml import to_xml

    # A comment must not hold two hyphens.
    comments = "".join(f"<!-- {_HYPHENS.sub('- ', line)} -->\n" for line in _heading(look))
    if not look.guess.fits:
        return comments + unread({"payload_type": _payload_type(look), "hex": look.data.hex()})
    fit = look.guess.fits[0]
    if look.fragment or look.payload_type is not None:
        about = {"schema": fit.schema, "fragment": look.fragment, "payload_type": _payload_type(look)}
        comments += instruction(about)
    return comments + to_xml(fit.decoded.message, fit.root, pretty=True).decode()


def _text(look: Look, form: Form, width: int) -> str:
    if form == "explain" and look.sdp is None:
        return "\n".join([*_heading(look), *_header(look), *_steps(look), ""])
    if look.sdp is not None:
        return "\n".join([*_heading(look), *(f"  {name} {value}" for name, value in look.sdp.items()), ""])
    if not look.guess.fits:
        return ""
    if form == "xml":
        return xml(look)
    fit = look.guess.fits[0]
    return "\n".join([*_heading(look), to_tree(fit.decoded.message, fit.root.name, width=width), ""])


def _heading(look: Look) -> list[str]:
    """Tell what was read in a line, and each note in one more."""
    frame = look.where
    if look.payload_type is not None:
        frame = f"frame {look.number}, payload type {look.payload_type:#06x}: "
    if look.sdp is not None:
        return [f"frame {look.number}, payload type {named(look.payload_type)}: {len(look.data)} bytes, no EXI"]
    if not look.guess.fits:
        return [f"{frame}{len(look.data)} bytes that are no message"]
    fit = look.guess.fits[0]
    also = f"; also fits: {', '.join(look.guess.also)}" if look.guess.also else ""
    what = "fragment" if look.fragment else "document"
    notes = [f"note: {note}" for note in fit.decoded.notes]
    if look.fragment and look.instead:
        spare = f", with {look.instead.spare} bytes left over" if look.instead.spare else ", with notes"
        notes.append(f"note: as a document it is {look.instead.root.name} of {look.instead.schema}{spare}")
    if look.announced > len(look.data):
        notes.append(f"note: {look.announced - len(look.data)} bytes of the frame are missing behind the message")
    if look.unexpected:
        notes.append(f"note: a payload type that does not carry {fit.schema}")
    return [f"{frame}{fit.schema} {what}, {len(look.data)} bytes{also}", *notes]


def _object(look: Look) -> dict[str, Any]:
    if look.guess.fits:
        return to_envelope(look.guess, fragment=look.fragment, payload_type=look.payload_type)
    errors = [
        {"schema": name, "what": error.what, "path": error.path, "bit": error.bit, "expected": error.expected}
        for name, error in look.guess.failures
    ]
    told = {
        "payload_type": _payload_type(look),
        "fragment": look.fragment,
        "hex": look.data.hex(),
        "errors": errors,
    }
    return told if look.sdp is None else told | {"sdp": look.sdp}


def _payload_type(look: Look) -> str | None:
    return None if look.payload_type is None else f"{look.payload_type:#06x}"


def _header(look: Look) -> list[str]:
    """Tell the bytes before a frame's payload, which the numbers of bits do not count."""
    if look.payload_type is None:
        return []
    header = frame(look.payload_type, look.data)[:HEADER_SIZE]
    length = (look.announced or len(look.data)).to_bytes(4)
    rows = (
        (header[:2], "V2GTP version 1 and its inverse"),
        (header[2:4], f"V2GTP payload type {named(look.payload_type)}"),
        (length, f"V2GTP payload length {int.from_bytes(length)}"),
    )
    return [f"{octets.hex(' ')}: {meaning}" for octets, meaning in rows]


def _steps(look: Look) -> list[str]:
    """Tell every bit, by the schema set that fits best or comes furthest."""
    name = _best(look)
    if not name:
        return []
    explained = schema(name).explain(look.data, "fragment" if look.fragment else "document")
    rows = [(str(step.bit), _bits(step), step.path.rpartition("/")[2], step.meaning) for step in explained.steps]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        f"{bit:>{wide[0]}} {bits:<{wide[1]}} {path:<{wide[2]}} {_printable(meaning)}"
        for bit, bits, path, meaning in rows
    ]


def _best(look: Look) -> str:
    fits: tuple[Fit, ...] = look.guess.fits
    if fits:
        return fits[0].schema
    return next((name for name, _ in look.guess.failures if name in SCHEMAS), "")


def _bits(step: Step) -> str:
    if len(step.bits) <= BITS_SHOWN:
        return step.bits
    size = f"... {len(step.bits)} bits"
    return step.bits[: BITS_SHOWN - len(size)] + size


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
