"""From JSON or XML that people hand over to bytes: each message by the schema set that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from v2g.exi.message import Message
from v2g.protocols import SCHEMAS, schema, schema_names
from v2g.v2gtp import PayloadType, frame
from v2g.views import json
from v2g.views.envelope import Envelope, from_envelope
from v2g.views.guess import choose, sets_with
from v2g.views.input import LARGEST

Check = Callable[[bytes], None]
"""Looks at a document as XML before it is sent; raises ValueError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be sent as the element `name` of a schema set."""

    schema: str
    name: str
    message: Message
    fragment: bool
    payload_type: int | None = None

    def encode(self, *, strict: bool = True, framed: bool = False) -> bytes:
        """Write it, with a V2GTP header if wanted. Raises ValueError naming what cannot be sent."""
        codec = schema(self.schema)
        if not self.fragment:
            data = codec.encode(self.message, strict=strict)
        else:
            data = codec.encode_fragment(self.message, self.name)
        return frame(self._payload_type(), data) if framed else data

    def _payload_type(self) -> int:
        if self.payload_type is not None:
            return self.payload_type
        found = next((kind for kind in PayloadType if self.schema in schema_names(kind)), None)
        if found is None or self.fragment:
            what = "a fragment" if self.fragment else f"a document of {self.schema}"
            raise ValueError(f"{what} travels in no V2GTP frame; leave out --frame")
        return found


def drafts(content: bytes, name: str = "", *, fragment: bool = False, check: Check | None = None) -> list[Draft]:
    """Make the messages of a JSON or XML text, by the schema set of this name or else by the one that takes them.

    Raises ValueError naming line or path of what does not belong there.
    """
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes; hand over fewer at a time")
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        plain = json.parse(text)
        if plain == []:
            raise ValueError("no message; the list is empty")
        envelopes = [from_envelope(each) for each in (plain if isinstance(plain, list) else [plain])]
        return [_of_envelope(envelope, name, fragment=fragment, check=check) for envelope in envelopes]
    if text.startswith(b"<") or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [_of_xml(content, name, fragment=fragment, check=check)]
    raise ValueError("neither JSON nor XML: it begins with none of { [ <")


def _of_envelope(envelope: Envelope, name: str, *, fragment: bool, check: Check | None) -> Draft:
    fragment = fragment or envelope.fragment
    root = _root_name(envelope.message)
    names = _names(name or envelope.schema, root, None, fragment=fragment)
    found, message = choose(names, lambda codec: json.from_json(codec, envelope.message, fragment=fragment))
    if check is not None:
        from v2g.views.xml import to_xml

        check(to_xml(message, pretty=True))
    return Draft(schema=found, name=root, message=message, fragment=fragment, payload_type=envelope.payload_type)


def _of_xml(content: bytes, name: str, *, fragment: bool, check: Check | None) -> Draft:
    from v2g.views import xml

    element = xml.parse(content)
    if check is not None:
        check(content)
    namespace, root = xml.names(element)
    names = _names(name, root, namespace, fragment=fragment)
    found, message = choose(names, lambda codec: xml.from_element(codec, element, fragment=fragment))
    return Draft(schema=found, name=root, message=message, fragment=fragment)


def _names(name: str, root: str, namespace: str | None, *, fragment: bool) -> list[str]:
    """Tell the schema sets in question."""
    if name and name not in SCHEMAS:
        raise ValueError(f"no schema set is named {name!r}; known are {', '.join(SCHEMAS)}")
    return [name] if name else sets_with(SCHEMAS, root, namespace, fragment=fragment)


def _root_name(plain: Any) -> str:
    match plain:
        case dict() if len(plain) == 1:
            return str(next(iter(plain)))
    raise ValueError('no message; write {"<root element>": {...}} with the one root element')
