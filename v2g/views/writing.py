"""From JSON or XML that people hand over to bytes: each message by the schema set that takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from v2g.exi.codec import Schema
from v2g.exi.message import Message
from v2g.protocols import SCHEMAS, schema, schema_names
from v2g.v2gtp import PayloadType, frame
from v2g.views import json
from v2g.views.envelope import Envelope, from_envelope
from v2g.views.guess import choose, sets_with, travels
from v2g.views.input import LARGEST
from v2g.views.nearest import nearest

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be sent as the element `name` of a schema set; `remarks` tell what is odd about that."""

    schema: str
    name: str
    message: Message
    fragment: bool
    payload_type: int | None = None
    remarks: tuple[str, ...] = ()

    def encode(self, *, strict: bool = True, framed: bool = False) -> bytes:
        """Write it, with a V2GTP header if wanted. Raises ValueError naming what cannot be sent."""
        data = _encoded(schema(self.schema), self.message, self.name if self.fragment else "", strict)
        return frame(self._payload_type(), data) if framed else data

    def _payload_type(self) -> int:
        if self.payload_type is not None:
            return self.payload_type
        found = next((kind for kind in PayloadType if self.schema in schema_names(kind)), None)
        if found is None or self.fragment:
            what = "a fragment" if self.fragment else f"a document of {self.schema}"
            raise ValueError(f"{what} travels in no V2GTP frame; leave out --frame")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Bytes that were no message when they were read, to be written back as they are."""

    data: bytes
    payload_type: int | None = None
    remarks: tuple[str, ...] = ("it was no message; its bytes are written back as they are",)

    def encode(self, *, strict: bool = True, framed: bool = False) -> bytes:
        """Write the bytes, with a V2GTP header if wanted. Raises ValueError if nobody says its payload type."""
        del strict
        if not framed:
            return self.data
        if self.payload_type is None:
            raise ValueError("bytes without payload_type travel in no V2GTP frame; add it, or leave out --frame")
        return frame(self.payload_type, self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How messages are to be written: by which schema set (empty: the one that takes them), as fragments or not.

    `check` looks at a document as XML before it is sent and raises ValueError.
    """

    schema: str = ""
    fragment: bool = False
    strict: bool = True
    check: Callable[[bytes], None] | None = None

    def heed(self, envelope: Envelope) -> Wish:
        """Tell the wish for one message, with what its envelope says."""
        if envelope.fragment and self.check is not None:
            raise ValueError("--xsd checks documents, and this is a fragment; leave out --xsd")
        return replace(self, schema=self.schema or envelope.schema, fragment=self.fragment or envelope.fragment)

    def choose(self, root: str, namespace: str | None, make: Callable[[Schema], Message]) -> tuple[str, Message]:
        """Tell the schema set of a message with this root element, and the message. Raises ValueError."""
        if self.schema and self.schema not in SCHEMAS:
            raise ValueError(f"no schema set is named {self.schema!r}; {nearest(self.schema, SCHEMAS)}")
        names = [self.schema] if self.schema else sets_with(SCHEMAS, root, namespace, fragment=self.fragment)
        return choose(
            names, make, lambda codec, message: _encoded(codec, message, root if self.fragment else "", self.strict)
        )


def drafts(content: bytes, wish: Wish) -> list[Draft | Leftover]:
    """Make the messages of a JSON or XML text.

    Raises ValueError naming line or path of what does not belong there, and of several messages which one it is.
    """
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes; hand over fewer at a time")
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise ValueError("nothing is there; hand over a message as JSON or XML")
    if text.startswith((b"{", b"[")):
        plains = json.parse_all(text)
        if not plains:
            raise ValueError("no message; the list is empty")
        return _each(plains, lambda plain: _of_json(from_envelope(plain), wish))
    if text.startswith(b"<") or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        from v2g.views.bundle import unbundle

        return _each(unbundle(content), lambda envelope: _of_xml(envelope, content, wish))
    raise ValueError("neither JSON nor XML: it begins with none of { [ <")


@contextmanager
def numbered(number: int, count: int) -> Iterator[None]:
    """Let a ValueError tell which of several messages it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"message {number}: {error}" if count > 1 else str(error)) from error


def _each(items: list[T], make: Callable[[T], Draft | Leftover]) -> list[Draft | Leftover]:
    found = []
    for number, item in enumerate(items, 1):
        with numbered(number, len(items)):
            found.append(make(item))
    return found


def _of_json(envelope: Envelope, wish: Wish) -> Draft | Leftover:
    if envelope.unread:
        return Leftover(data=envelope.unread, payload_type=envelope.payload_type)
    mine = wish.heed(envelope)
    root = _root_name(envelope.message)
    found, message = mine.choose(
        root, None, lambda codec: json.from_json(codec, envelope.message, fragment=mine.fragment)
    )
    if wish.check is not None:
        from v2g.views.xml import to_xml

        wish.check(to_xml(message, pretty=True))
    return _draft(envelope, found, root, message, fragment=mine.fragment)


def _of_xml(envelope: Envelope, content: bytes, wish: Wish) -> Draft | Leftover:
    from v2g.views import xml

    if envelope.unread:
        return Leftover(data=envelope.unread, payload_type=envelope.payload_type)
    mine = wish.heed(envelope)
    element = envelope.message
    if wish.check is not None:
        wish.check(content if element.getparent() is None else xml.to_text(element))
    namespace, root = xml.names(element)
    found, message = mine.choose(
        root, namespace, lambda codec: xml.from_element(codec, element, fragment=mine.fragment)
    )
    return _draft(envelope, found, root, message, fragment=mine.fragment)


def _draft(envelope: Envelope, found: str, root: str, message: Message, *, fragment: bool) -> Draft:
    return Draft(
        schema=found,
        name=root,
        message=message,
        fragment=fragment,
        payload_type=envelope.payload_type,
        remarks=tuple(_remarks(envelope, found, root, message, fragment=fragment)),
    )


def _remarks(envelope: Envelope, found: str, root: str, message: Message, *, fragment: bool) -> Iterator[str]:
    """Tell what nobody may have meant."""
    if envelope.schema not in ("", found):
        yield f"the envelope says {envelope.schema}, --schema {found}: it is written as {found}"
    beginning = schema(found).grammar.document
    if not fragment and not all(travels(found, each) for each in beginning.roots if type(message) in each.types):
        yield f"{root} is a part of other messages: no car or station takes it alone"


def _encoded(codec: Schema, message: Message, fragment: str, strict: bool) -> bytes:
    """Write a document, or the element of this name as a fragment. Raises ValueError."""
    return codec.encode_fragment(message, fragment) if fragment else codec.encode(message, strict=strict)


def _root_name(plain: Any) -> str:
    match plain:
        case dict() if len(plain) == 1:
            return str(next(iter(plain)))
    raise ValueError('no message; write {"<root element>": {...}} with the one root element')
