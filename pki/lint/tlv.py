"""Reads the tags and lengths of DER by itself, and tells where they are BER or worse (X.690 chapters 8, 10, 11).

It knows nothing of certificates and shares no code with the readers of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MAX_DEPTH = 24
MAX_ELEMENTS = 20_000
BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, UTF8 = 1, 2, 3, 4, 5, 6, 12
SEQUENCE, SET, PRINTABLE, T61, IA5, UTC, GENERALIZED, UNIVERSAL_STRING, BMP = 16, 17, 19, 20, 22, 23, 24, 28, 30
_WHOLE = frozenset({BITS, OCTETS, UTF8, PRINTABLE, T61, IA5, UTC, GENERALIZED, UNIVERSAL_STRING, BMP})
_UTC = re.compile(rb"\d{12}Z")
_GENERALIZED = re.compile(rb"\d{14}Z")
_PRINTABLE = re.compile(rb"[A-Za-z0-9 '()+,./:=?-]*")


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place that is no DER: the rule it breaks, where it begins, and how."""

    rule: str
    offset: int
    text: str


@dataclass(slots=True)
class Element:
    """One tag with its content, which ends at `end`; `tag` counts within its class (0 universal, 2 context)."""

    kind: int
    tag: int
    constructed: bool
    offset: int
    start: int
    end: int
    children: list[Element] = field(default_factory=list)

    def universal(self, tag: int) -> bool:
        """Tell whether it is of a universal type."""
        return self.kind == 0 and self.tag == tag

    def context(self, tag: int) -> bool:
        """Tell whether it is a context-specific element of a number."""
        return self.kind == 2 and self.tag == tag


class Unreadable(Exception):
    """Lengths that do not fit into each other: nothing after them can be read."""

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        super().__init__(flaw.text)


class Walk:
    """Goes through bytes once; `flaws` holds what is no DER."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.flaws: list[Flaw] = []
        self._count = 0

    def read(self, start: int = 0, end: int | None = None) -> Element | None:
        """Return the element at `start`, complete; None if it cannot be read, which `flaws` then tells."""
        limit = len(self.data) if end is None else end
        try:
            element = self._element(start, limit, 0)
        except Unreadable as error:
            self.flaws.append(error.flaw)
            return None
        after = element.end + (2 if self._indefinite(element) else 0)
        if after < limit:
            self._flaw("der-trailing", after, f"{limit - after} bytes follow")
        return element

    def first(self) -> Element | None:
        """Return the head of the element the bytes begin with, without looking into it; None if there is none."""
        try:
            kind, constructed, tag, place = self._tag(0, len(self.data))
            size, start = self._length(0, place, len(self.data))
        except Unreadable:
            return None
        return Element(kind, tag, constructed, 0, start, len(self.data) if size is None else start + size)

    def content(self, element: Element) -> bytes:
        """Return the bytes of an element without tag and length."""
        return self.data[element.start : element.end]

    def whole(self, element: Element) -> bytes:
        """Return the bytes of an element with tag and length."""
        return self.data[element.offset : element.end]

    def _flaw(self, rule: str, offset: int, text: str) -> None:
        self.flaws.append(Flaw(rule, offset, text))

    def _indefinite(self, element: Element) -> bool:
        return self.data[element.start - 1] == 0x80 and element.start - element.offset == 2

    def _element(self, at: int, limit: int, depth: int) -> Element:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise Unreadable(Flaw("der-nesting", at, f"more than {MAX_DEPTH} levels or {MAX_ELEMENTS} elements"))
        kind, constructed, tag, place = self._tag(at, limit)
        size, start = self._length(at, place, limit)
        element = Element(kind, tag, constructed, at, start, limit if size is None else start + size)
        if size is None and not constructed:
            raise Unreadable(Flaw("der-indefinite", at, "a length is indefinite where nothing can end it"))
        if constructed:
            self._children(element, depth, indefinite=size is None)
        self._check(element)
        return element

    def _children(self, element: Element, depth: int, *, indefinite: bool) -> None:
        at = element.start
        while at < element.end:
            if indefinite and self.data[at : at + 2] == b"\x00\x00":
                element.end = at
                return
            child = self._element(at, element.end, depth + 1)
            element.children.append(child)
            at = child.end + (2 if self._indefinite(child) else 0)
        if indefinite:
            raise Unreadable(Flaw("der-truncated", element.offset, "an indefinite length has no end"))

    def _tag(self, at: int, limit: int) -> tuple[int, bool, int, int]:
        self._demand(at, at + 1, limit)
        first = self.data[at]
        tag, place = first & 0x1F, at + 1
        if tag == 0x1F:
            self._flaw("der-tag", at, "a tag has the long form")
            tag = 0
            while True:
                self._demand(at, place + 1, limit)
                octet = self.data[place]
                tag, place = min(tag << 7 | octet & 0x7F, 1 << 32), place + 1
                if octet < 0x80:
                    break
        return first >> 6, bool(first & 0x20), tag, place

    def _length(self, at: int, place: int, limit: int) -> tuple[int | None, int]:
        """Return the size of a content, None if indefinite, and where it begins."""
        self._demand(at, place + 1, limit)
        first = self.data[place]
        if first == 0x80:
            self._flaw("der-indefinite", at, "a length is indefinite")
            return None, place + 1
        if first < 0x80:
            self._demand(at, place + 1 + first, limit)
            return first, place + 1
        octets = first & 0x7F
        start = place + 1 + octets
        self._demand(at, start, limit)
        size = int.from_bytes(self.data[place + 1 : start])
        if size < 0x80 or self.data[place + 1] == 0:
            self._flaw("der-length", at, f"a length of {size} is written in {octets + 1} octets")
        self._demand(at, start + size, limit)
        return size, start

    def _demand(self, at: int, end: int, limit: int) -> None:
        if end > limit:
            raise Unreadable(Flaw("der-truncated", at, f"an element ends {end - limit} bytes after what holds it"))

    def _check(self, element: Element) -> None:
        if element.kind != 0:
            return
        if element.constructed and element.tag in _WHOLE:
            self._flaw("der-constructed", element.offset, "a string is made of several")
            return
        check = _CHECKS.get(element.tag)
        if check is not None:
            for rule, text in check(self, element):
                self._flaw(rule, element.offset, text)


Told = Iterator[tuple[str, str]]


def _boolean(walk: Walk, element: Element) -> Told:
    content = walk.content(element)
    if content not in (b"\x00", b"\xff"):
        yield "der-boolean", f"a boolean is {content[:4].hex() or 'empty'}"


def _integer(walk: Walk, element: Element) -> Told:
    content = walk.content(element)
    if not content:
        yield "der-integer", "an integer is empty"
    elif len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1)):
        yield "der-integer", f"an integer has a superfluous octet {content[0]:02x}"


def _bits(walk: Walk, element: Element) -> Told:
    content = walk.content(element)
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        yield "der-unused-bits", "a bit string does not say how many bits it has"
    elif content[0] and content[-1] & (1 << content[0]) - 1:
        yield "der-unused-bits", f"{content[0]} unused bits are not 0"


def _oid(walk: Walk, element: Element) -> Told:
    content = walk.content(element)
    if not content or content[-1] & 0x80:
        yield "der-oid", "an object identifier has no end"
        return
    starts = (0, *(place + 1 for place, octet in enumerate(content[:-1]) if octet < 0x80))
    if any(content[start] == 0x80 for start in starts):
        yield "der-oid", "an object identifier has superfluous octets"


def _set(walk: Walk, element: Element) -> Told:
    members = [walk.whole(child) for child in element.children]
    if members != sorted(members):
        yield "der-set-order", "a set is not sorted"


def _utc(walk: Walk, element: Element) -> Told:
    if not _UTC.fullmatch(walk.content(element)):
        yield "der-time", "a UTCTime is not YYMMDDHHMMSSZ"


def _generalized(walk: Walk, element: Element) -> Told:
    content = walk.content(element)
    if not _GENERALIZED.fullmatch(content):
        yield "der-time", "a GeneralizedTime is not YYYYMMDDHHMMSSZ"
    elif b"1950" <= content[:4] < b"2050":
        yield "der-time", "a time before 2050 is a GeneralizedTime instead of a UTCTime"


def _utf8(walk: Walk, element: Element) -> Told:
    try:
        walk.content(element).decode()
    except UnicodeDecodeError:
        yield "der-string-content", "a UTF8String holds no UTF-8"


def _printable(walk: Walk, element: Element) -> Told:
    if not _PRINTABLE.fullmatch(walk.content(element)):
        yield "der-string-content", "a PrintableString holds other characters"


def _ia5(walk: Walk, element: Element) -> Told:
    if not walk.content(element).isascii():
        yield "der-string-content", "an IA5String holds more than ASCII"


def _bmp(walk: Walk, element: Element) -> Told:
    if len(walk.content(element)) % 2:
        yield "der-string-content", "a BMPString has half a character"


_CHECKS: Mapping[int, Callable[[Walk, Element], Told]] = MappingProxyType(
    {
        BOOLEAN: _boolean,
        INTEGER: _integer,
        BITS: _bits,
        OID: _oid,
        SET: _set,
        UTC: _utc,
        GENERALIZED: _generalized,
        UTF8: _utf8,
        PRINTABLE: _printable,
        IA5: _ia5,
        BMP: _bmp,
    }
)
