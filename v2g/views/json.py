"""Messages as JSON and back: `{"V2G_Message": {"Header": {...}, "Body": {"SessionSetupReq": {...}}}}`.

Names are wire names. What a value is, its field's type tells and nothing else: hexBinary is upper-case hex,
base64Binary is base64, an enumeration its text on the wire, a list with bounds a list even when it holds one item.
What is absent is left out.
"""

from __future__ import annotations

import json
from typing import Any

from v2g.exi.codec import Schema
from v2g.exi.fields import Type
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.views.nearest import nearest
from v2g.views.parts import Place, built, parts, places, root_class, root_named
from v2g.views.values import MOST_DIGITS, from_plain, quoted, to_plain


def to_json(message: Message, name: str = "") -> dict[str, Any]:
    """Tell a message as JSON has it, under its element's name or, where the class does not tell it, `name`."""
    return {name or message.element: _object(message)}


def from_json(schema: Schema, plain: Any, *, fragment: bool = False) -> Message:
    """Make the message that `to_json` told. Raises ValueError with the path of what does not belong there."""
    fields = _fields(plain, "no message")
    if len(fields) != 1:
        raise ValueError(f'{len(fields)} root elements; write {{"<root element>": {{...}}}} with one')
    ((name, content),) = fields.items()
    cls = root_class(root_named(schema.grammar, name, fragment=fragment))
    if cls is None:
        raise ValueError(f"{name} is no message")
    return _message(schema.grammar, cls, content, name)


def parse(text: str | bytes) -> Any:
    """Read JSON text. Raises ValueError for what is none, and for what readers of JSON disagree about."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("no JSON of ours: nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"no JSON: byte {error.start} is no UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error


def parse_all(text: bytes) -> list[Any]:
    """Read the messages of a JSON text: one, a list of them, or one on each line. Raises ValueError."""
    try:
        plain = parse(text)
    except ValueError:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2 or not all(line.strip().endswith(b"}") for _, line in lines):
            raise
        return [_line(number, line) for number, line in lines]
    return plain if isinstance(plain, list) else [plain]


def _line(number: int, line: bytes) -> Any:
    try:
        return parse(line)
    except ValueError as error:
        raise ValueError(f"line {number} alone is {error}") from error


def _object(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts(message):
        kind = part.field.type
        plain = _object(part.value) if isinstance(kind, type) else to_plain(kind, part.value)
        if part.field.many:
            found.setdefault(part.name, []).append(plain)
        else:
            found[part.name] = plain
    return found


def _fields(plain: Any, path: str) -> dict[str, Any]:
    match plain:
        case dict():
            return plain
    raise ValueError(f"{path}: {quoted(plain)} is no object; write {{...}} with the fields by name")


def _message(grammar: Grammar, cls: type[Message], content: Any, path: str) -> Message:
    known = places(grammar, cls)
    values: dict[str, Any] = {}
    for name, plain in _fields(content, path).items():
        place = known.get(name)
        if place is None:
            raise ValueError(f"{path}/{_printable(name)} is unknown; {nearest(name, known)}")
        if place.field.name in values:
            raise ValueError(f"{path}/{name}: only one of its kind may stand here; remove one")
        values[place.field.name] = _field(grammar, place, plain, f"{path}/{name}")
    return built(grammar, cls, values, path)


def _field(grammar: Grammar, place: Place, plain: Any, path: str) -> Any:
    if not place.field.many:
        return _item(grammar, place.type, plain, path)
    match plain:
        case list():
            return [_item(grammar, place.type, item, f"{path}[{number}]") for number, item in enumerate(plain)]
    raise ValueError(f"{path}: {quoted(plain)} is no list; write [...] even for one item")


def _item(grammar: Grammar, kind: Type, plain: Any, path: str) -> Any:
    if isinstance(kind, type):
        return _message(grammar, kind, plain, path)
    try:
        return from_plain(kind, plain)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _printable(name: str) -> str:
    return name if name.isprintable() and len(name) <= 64 else quoted(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"no JSON of ours: {quoted(twice)} stands twice in one object; keep one")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"no JSON of ours: a number of more than {MOST_DIGITS} digits")
    return int(digits)


def _refuse(constant: str) -> Any:
    raise ValueError(f"no JSON: {constant} is no number")
