"""Messages as XML, for tools that know nothing else."""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree as ET

from v2g.exi.fields import Field, fields
from v2g.exi.message import Message
from v2g.exi.types import Mark, Octets


def xml_of(message: Message, name: str | None = None, namespace: str | None = None) -> bytes:
    """Write a message as an XML document; name and namespace are those of its class unless told."""
    root = ET.Element(_tag(message.namespace if namespace is None else namespace, name or message.element))
    _fill(root, message)
    return ET.tostring(root, encoding="unicode").encode()


def _fill(element: ET.Element, message: Message) -> None:
    for field in fields(type(message)):
        value = getattr(message, field.name)
        for item in value if field.many else [] if value is None else [value]:
            if field.mark is Mark.ATTRIBUTE:
                element.set(_tag(field.namespace, field.name), _text(item, field))
            elif field.mark is Mark.CONTENT:
                element.text = _text(item, field)
            elif isinstance(item, Message):
                group = isinstance(field.type, type) and field.type.group
                tag = _tag(item.namespace, item.element) if group else _tag(field.namespace, field.name)
                _fill(ET.SubElement(element, tag), item)
            else:
                ET.SubElement(element, _tag(field.namespace, field.name)).text = _text(item, field)


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _text(value: Any, field: Field) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        base = isinstance(field.type, Octets) and field.type.form == "base64"
        return base64.b64encode(value).decode() if base else value.hex().upper()
    return str(value)
