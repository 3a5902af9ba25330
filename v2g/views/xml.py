"""Messages as XML and back, in the namespaces of the schemas; needs lxml, which the extra `xml` brings.

What is read may come from anywhere: nothing is fetched, no entity is expanded, and a document type is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from v2g.exi.codec import Schema
from v2g.exi.fields import Type
from v2g.exi.frame import Root
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.types import Mark
from v2g.views import escapes
from v2g.views.nearest import nearest
from v2g.views.parts import Place, Places, built, is_attribute, parts, places, root_class, root_named
from v2g.views.values import from_text, quoted
from v2g.views.values import to_text as value_text

try:
    from lxml import etree as etree  # also for v2g.views.xsd
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("XML needs lxml: pip install 'plugcharge[xml]'", name="lxml") from error

INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_LOCATIONS = frozenset({f"{INSTANCE}schemaLocation", f"{INSTANCE}noNamespaceSchemaLocation"})
_LAST_WORD = re.compile(r"[A-Za-z][\w-]*(?=\W*\Z)")


def to_xml(message: Message, root: Root | None = None, *, pretty: bool = False) -> bytes:
    """Write a message as an XML document in UTF-8; `root` is its element where the class does not tell it."""
    namespace, name = (message.namespace, message.element) if root is None else (root.namespace, root.name)
    prefixes = _prefixes({namespace, escapes.NAMESPACE, *_namespaces(message)})
    element = etree.Element(_tag(namespace, name), nsmap=prefixes)
    _fill(element, message)
    etree.cleanup_namespaces(element)
    text: bytes = etree.tostring(element, encoding="utf-8", pretty_print=pretty)
    return text if pretty else text + b"\n"


def from_xml(schema: Schema, text: bytes, *, fragment: bool = False) -> Message:
    """Make the message an XML document holds. Raises ValueError with the path of what does not belong there."""
    return from_element(schema, parse(text), fragment=fragment)


def from_element(schema: Schema, element: Any, *, fragment: bool = False) -> Message:
    """Make the message an element that `parse` told holds. Raises ValueError."""
    namespace, name = names(element)
    cls = root_class(root_named(schema.grammar, name, namespace, fragment=fragment))
    if cls is None:
        raise ValueError(f"{name} is no message")
    return _message(schema.grammar, cls, element, name)


def parse(text: bytes, *, instructions: bool = False) -> Any:
    """Parse XML; tells its root element. Raises ValueError for what is none, and for a document type.

    Processing instructions are left out if nobody asks for them.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=not instructions,
    )
    try:
        element = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(f"no XML: {_reason(error)}") from error
    if element.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a document type is refused; remove <!DOCTYPE ...>")
    return element


def to_text(element: Any) -> bytes:
    """Write an element of a larger document as one of its own."""
    text: bytes = etree.tostring(element, encoding="utf-8", with_tail=False)
    return text


def names(element: Any) -> tuple[str, str]:
    """Tell namespace and local name of an element."""
    name = etree.QName(element)
    return name.namespace or "", name.localname


# Writing


def _fill(element: Any, message: Message) -> None:
    for part in parts(message):
        kind = part.field.type
        if isinstance(kind, type):
            _fill(etree.SubElement(element, _tag(part.namespace, part.name)), part.value)
            continue
        text = value_text(kind, part.value)
        if is_attribute(part.field):
            element.set(_tag(part.namespace, part.name), _carried(element, part.name, text))
        else:
            own = part.field.mark is Mark.CONTENT
            holder = element if own else etree.SubElement(element, _tag(part.namespace, part.name))
            holder.text = _carried(holder, escapes.TEXT, text)


def _carried(element: Any, what: str, text: str) -> str:
    """Tell a text as XML carries it; marks the element where that takes escapes."""
    if not escapes.needs_escape(text):
        return text
    element.set(escapes.MARK, f"{element.get(escapes.MARK, '')} {what}".strip())
    return escapes.escape(text)


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _namespaces(message: Message) -> Iterator[str]:
    for part in parts(message):
        yield part.namespace
        if isinstance(part.value, Message):
            yield from _namespaces(part.value)


def _prefixes(namespaces: Iterable[str]) -> dict[str, str]:
    """Tell prefixes: the last word of each namespace, such as MsgBody; names that begin with xml are reserved."""
    words = {namespace: _LAST_WORD.search(namespace) for namespace in sorted(namespaces)}
    return {word[0].removeprefix("xml"): namespace for namespace, word in words.items() if word is not None}


# Reading


def _message(grammar: Grammar, cls: type[Message], element: Any, path: str) -> Message:
    known = places(grammar, cls)
    marked = (element.get(escapes.MARK) or "").split()
    values = _attributes(known, element, marked, path)
    content = next((place.field for place in known.values() if place.field.mark is Mark.CONTENT), None)
    if content is not None:
        text, where = _own_text(element, path), f"{path} (line {element.sourceline})"
        values[content.name] = _value(content.type, text, where, escaped=escapes.TEXT in marked)
    else:
        _children(grammar, known, element, path, values)
    return built(grammar, cls, values, path)


def _attributes(known: Places, element: Any, marked: list[str], path: str) -> dict[str, Any]:
    fields = {_tag(place.namespace, name): place.field for name, place in known.items() if is_attribute(place.field)}
    values: dict[str, Any] = {}
    for tag, text in element.attrib.items():
        field = fields.get(tag)
        if field is not None:
            where = f"{path}/@{field.name} (line {element.sourceline})"
            values[field.name] = _value(field.type, text, where, escaped=field.name in marked)
        elif tag not in _LOCATIONS and tag != escapes.MARK:
            told = nearest(tag, fields, "no attributes")
            raise ValueError(f"{path}/@{tag} (line {element.sourceline}) is unknown; {told}")
    return values


def _children(grammar: Grammar, known: Places, element: Any, path: str, values: dict[str, Any]) -> None:
    """Read the child elements into `values`."""
    _no_text(element.text, element, path)
    position = 0
    for child in element:
        _no_text(child.tail, element, path)
        place = _place(known, child, path)
        field = place.field
        where = f"{path}/{etree.QName(child).localname}"
        if place.position < position:
            raise ValueError(f"{where} (line {child.sourceline}) stands too late; keep the order of the schema")
        position = place.position
        if field.many:
            items = values.setdefault(field.name, [])
            items.append(_item(grammar, place, child, f"{where}[{len(items)}]"))
        elif field.name in values:
            raise ValueError(f"{where} (line {child.sourceline}): only one of its kind may stand here; remove one")
        else:
            values[field.name] = _item(grammar, place, child, where)


def _place(known: Places, child: Any, path: str) -> Place:
    namespace, name = names(child)
    place = known.get(name)
    where = f"{path}/{name} (line {child.sourceline})"
    if place is None or is_attribute(place.field):
        wanted = [known_name for known_name, other in known.items() if not is_attribute(other.field)]
        raise ValueError(f"{where} is unknown; {nearest(name, wanted, 'no elements')}")
    if place.namespace != namespace:
        wanted_namespace = place.namespace or "no namespace"
        raise ValueError(f"{where} is in {namespace or 'no namespace'}; it belongs in {wanted_namespace}")
    return place


def _item(grammar: Grammar, place: Place, element: Any, path: str) -> Any:
    if isinstance(place.type, type):
        return _message(grammar, place.type, element, path)
    marked = (element.get(escapes.MARK) or "").split()
    strange = [tag for tag in element.attrib if tag != escapes.MARK]
    if strange:
        raise ValueError(f"{path}/@{strange[0]} (line {element.sourceline}) is unknown; known are no attributes")
    where = f"{path} (line {element.sourceline})"
    return _value(place.type, _own_text(element, path), where, escaped=escapes.TEXT in marked)


def _value(kind: Type, text: str, path: str, *, escaped: bool) -> Any:
    if isinstance(kind, type):
        raise TypeError(f"{path}: {kind.__name__} is no value")
    try:
        return from_text(kind, escapes.unescape(text) if escaped else text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _own_text(element: Any, path: str) -> str:
    if len(element):
        raise ValueError(f"{path} (line {element.sourceline}) holds elements; it takes a value alone")
    return element.text or ""


def _no_text(text: str | None, element: Any, path: str) -> None:
    if text and not text.isspace():
        raise ValueError(f"{path} (line {element.sourceline}): {quoted(text.strip())} stands between elements")


def _reason(error: Exception) -> str:
    """Tell lxml's complaint without what could act on a terminal."""
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    remedy = "; put several messages into one element, as decode --xml does" if told.startswith("Extra content") else ""
    return "".join(character if character.isprintable() else " " for character in told)[:200] + remedy
