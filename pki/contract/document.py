"""Requests and deliveries of contracts as files: read in any form people hand over, written in the one they want."""

from __future__ import annotations

import base64
import contextlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from v2g.dialect import Envelope
from v2g.errors import Undecodable
from v2g.exi.message import Message
from v2g.iso2 import ISO2
from v2g.messages import iso2
from v2g.messages.iso20.common_types import V2GMessage
from v2g.protocols import schema

if TYPE_CHECKING:
    from v2g.views.input import Given

SETS: dict[str, type[Message]] = {"iso2": iso2.V2G_Message, "iso20.common": V2GMessage}
"""The schema sets of both editions, and what their messages are."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_STDIN = Path("-")
_HEX = re.compile(rb"[0-9A-Fa-f]+")


class Form(StrEnum):
    """How a message is written."""

    EXI = "exi"
    HEX = "hex"
    BASE64 = "base64"
    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Document:
    """A message of a schema set; `size` is how many bytes it had as EXI, 0 where it was none."""

    schema: str
    message: Message
    size: int = 0

    @property
    def envelope(self) -> Envelope:
        """The message without packing, its signature beside it; raises ValueError for a -2 message without body."""
        if isinstance(self.message, V2GMessage):
            header = self.message.Header
            return Envelope(session_id=header.SessionID, body=self.message, signature=header.Signature)
        try:
            return ISO2.unwrap(self.message)
        except Undecodable as error:
            raise ValueError(str(error)) from error

    def written(self, form: Form) -> bytes:
        """Write it, values out of range too; raises ValueError, for XML also where lxml is missing."""
        exi = schema(self.schema).encode(self.message, strict=False)
        match form:
            case Form.EXI:
                return exi
            case Form.HEX:
                return f"{exi.hex()}\n".encode()
            case Form.BASE64:
                return base64.b64encode(exi) + b"\n"
            case Form.XML | Form.JSON:
                return _page(exi, self.schema, form)


def read(content: bytes) -> Document:
    """Read EXI, a V2GTP frame, hex, base64, JSON or XML of one message of -2 or -20.

    Raises ValueError for anything else, and for XML without lxml.
    """
    text = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        found = list(_drafts(content) if text.startswith((b"{", b"[", b"<")) else _looks(content))
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"holds {len(found)} messages; hand over one at a time")
    raise ValueError("holds no message of ISO 15118-2 or -20; `plugcharge v2g decode` tells what it is")


def load(path: Path) -> Document:
    """Read the message in a file, or from stdin for `-`; raises ValueError naming it, and OSError."""
    from v2g.views.input import LARGEST

    try:
        with contextlib.nullcontext(sys.stdin.buffer) if path == _STDIN else path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; name one that holds the message, or - for stdin") from None
    try:
        return read(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _given(content: bytes) -> Given:
    """Take base64 for what it is, unless it may be hex, and all else as `v2g decode` does."""
    from v2g.views.input import Given, from_content

    plain = b"".join(content.split())
    whole = len(plain) % 4 == 0 and _BASE64.fullmatch(plain) and not _HEX.fullmatch(plain)
    return Given(data=base64.b64decode(plain)) if whole else from_content(content)


def _drafts(content: bytes) -> Iterator[Document]:
    from v2g.views.writing import Draft, Wish, drafts

    for draft in drafts(content, Wish(strict=False)):
        if isinstance(draft, Draft) and draft.schema in SETS and isinstance(draft.message, SETS[draft.schema]):
            yield Document(draft.schema, draft.message)


def _looks(content: bytes) -> Iterator[Document]:
    from v2g.views.reading import looks

    found, _ = looks(_given(content), fragment=False)
    for look in found:
        for fit in look.guess.fits:
            message = fit.decoded.message
            if fit.schema in SETS and isinstance(message, SETS[fit.schema]):
                yield Document(fit.schema, message, len(look.data))
                break


def _page(exi: bytes, name: str, form: Form) -> bytes:
    """What `v2g decode` prints."""
    from v2g.views.input import Given
    from v2g.views.page import page
    from v2g.views.reading import looks

    found, _ = looks(Given(data=exi), name, fragment=False)
    try:
        return page(found, "xml" if form is Form.XML else "json", width=0).encode()
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
