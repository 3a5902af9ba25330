"""What XML says about a message beside the message: several in one document, frames, fragments, what was not read.

A processing instruction before a message's element is what the envelope is in JSON:

    <?plugcharge schema="iso2" fragment="true" payload_type="0x8001"?>

Several messages stand in the element `messages` of the namespace `NAMESPACE`, and bytes that are no message in
`unread` elements among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from v2g.views.envelope import Envelope, envelope
from v2g.views.xml import etree, names, parse

NAMESPACE = "urn:plugcharge:messages"
TARGET = "plugcharge"
"""The target of the processing instruction, and the prefix of the namespace."""
_TRUTH = {"true": True, "false": False}


def instruction(about: dict[str, Any]) -> str:
    """Tell what an envelope says, as a processing instruction."""
    return f"<?{TARGET}{_attributes(about)}?>\n"


def unread(about: dict[str, Any]) -> str:
    """Tell bytes that are no message, as an element of a bundle."""
    return f"<{TARGET}:unread{_attributes(about)}/>\n"


def bundle(texts: Iterable[str]) -> str:
    """Put several messages into one document."""
    inner = "".join(texts)
    return f'<{TARGET}:messages xmlns:{TARGET}="{NAMESPACE}">\n{inner}</{TARGET}:messages>\n'


def unbundle(content: bytes) -> list[Envelope]:
    """Read a document with one message, whose envelope holds its element, or a bundle. Raises ValueError."""
    root = parse(content, instructions=True)
    if names(root) == (NAMESPACE, "messages"):
        found = [_envelope(child) for child in root if isinstance(child.tag, str)]
        if not found:
            raise ValueError("no message; the element messages is empty")
        return found
    return [_envelope(root)]


def _envelope(element: Any) -> Envelope:
    if names(element) == (NAMESPACE, "unread"):
        return envelope(dict(element.attrib), None)
    said: dict[str, Any] = {}
    before = element.getprevious()
    if before is not None and before.tag is etree.ProcessingInstruction and before.target == TARGET:
        said = dict(before.attrib)
    if "fragment" in said:
        said["fragment"] = _TRUTH.get(said["fragment"], said["fragment"])
    etree.strip_tags(element, etree.ProcessingInstruction)
    return envelope(said, element)


def _attributes(about: dict[str, Any]) -> str:
    told = {name: str(value).lower() if isinstance(value, bool) else value for name, value in about.items()}
    return "".join(f' {name}="{value}"' for name, value in told.items() if value is not None)
