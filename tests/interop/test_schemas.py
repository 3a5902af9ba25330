"""Every declared field against the XML schemas of Josev's package: what the grammars do not show, limits above all.

EXI needs no length of a text and few ranges, so a grammar stays right with a wrong one; the schemas have them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree as ET

import pytest

from tests.interop.exificient import SCHEMAS as SETS
from tests.interop.josev import ENVIRONMENT
from v2g.exi import types
from v2g.exi.fields import Field, Type, fields, simple_or_class
from v2g.exi.message import Message
from v2g.exi.types import Flag, Listed, Mark, Octets, Simple, Text, Whole
from v2g.protocols import schema

SCHEMAS = sorted(ENVIRONMENT.glob("lib/python*/site-packages/iso15118/shared/schemas/**/*.xsd"))
pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not SCHEMAS, reason=f"no Josev in {ENVIRONMENT}: run `make provision`, or set PLUGCHARGE_PEER"),
]

XSD = "{http://www.w3.org/2001/XMLSchema}"
NUMBERS = {
    "byte": types.Byte,
    "short": types.Short,
    "int": types.Int,
    "long": types.Long,
    "integer": types.Integer,
    "unsignedByte": types.UnsignedByte,
    "unsignedShort": types.UnsignedShort,
    "unsignedInt": types.UnsignedInt,
    "unsignedLong": types.UnsignedLong,
}
BUILT_IN: dict[str, Simple] = {
    "boolean": Flag(),
    "hexBinary": Octets("hex"),
    "base64Binary": Octets("base64"),
    **dict.fromkeys(("string", "anyURI", "ID", "IDREF"), Text()),
    **{name: kind for name, hint in NUMBERS.items() if isinstance(kind := simple_or_class(hint), Whole)},
}
Name = tuple[str, str]
Facts = Simple | tuple[str, ...]
"""Limits of a value; of an enumeration its texts in order."""


@dataclass(frozen=True)
class Declared:
    """What a schema, or a class, says of one attribute or child element."""

    name: str
    least: int
    most: int | None
    choice: bool
    facts: Facts | None


@dataclass(frozen=True)
class Node:
    """An XML element of a schema, with what its names mean."""

    xml: ET.Element
    prefixes: dict[str, str]
    namespace: str

    def name(self, attribute: str) -> Name:
        """Tell the name an attribute holds, with its namespace."""
        prefix, _, local = self.xml.attrib[attribute].rpartition(":")
        return self.prefixes.get(prefix, self.namespace), local

    def child(self, *tags: str) -> Node | None:
        """Tell the first child with one of these tags."""
        return next((node for node in self if node.xml.tag in {XSD + tag for tag in tags}), None)

    def __iter__(self) -> Iterator[Node]:
        return (Node(xml, self.prefixes, self.namespace) for xml in self.xml)


class Schemas:
    """All schemas of the package; each name is declared once."""

    def __init__(self) -> None:
        self.elements: dict[Name, Node] = {}
        self.types: dict[Name, Node] = {}
        for path in SCHEMAS:
            prefixes: dict[str, str] = {}
            for _, (prefix, uri) in ET.iterparse(path, events=("start-ns",)):
                prefixes.setdefault(prefix, uri)
            xml = ET.parse(path).getroot()
            for node in Node(xml, prefixes, xml.attrib["targetNamespace"]):
                table = self.elements if node.xml.tag == f"{XSD}element" else self.types
                table[node.namespace, node.xml.get("name", "")] = node

    def type_of(self, element: Node) -> Node | Simple:
        """Tell the type of an element or attribute."""
        if "ref" in element.xml.attrib:
            return self.type_of(self.elements[element.name("ref")])
        if "type" not in element.xml.attrib:
            return element.child("complexType", "simpleType") or Text()
        return self._named(element.name("type"))

    def facts(self, kind: Node | Simple) -> Facts | None:
        """Tell the limits of a simple type; None of one with children."""
        if not isinstance(kind, Node):
            return kind
        if kind.xml.tag == f"{XSD}complexType":
            return None
        restriction = kind.child("restriction")
        assert restriction is not None
        texts = tuple(node.xml.attrib["value"] for node in restriction if node.xml.tag == f"{XSD}enumeration")
        facets = {node.xml.tag.removeprefix(XSD): node.xml.get("value", "") for node in restriction}
        base = self.facts(self._named(restriction.name("base")))
        return texts or _restricted(
            base, {name: int(value) for name, value in facets.items() if value.lstrip("-").isdigit()}
        )

    def declared(self, kind: Node) -> Iterator[tuple[Declared, Node]]:
        """Tell the attributes and child elements of a complex type, those of its base first."""
        body = kind
        if (content := kind.child("complexContent", "simpleContent")) is not None:
            body = content.child("extension") or content
            base = self._named(body.name("base"))
            if isinstance(base, Node) and base.xml.tag == f"{XSD}complexType":
                yield from self.declared(base)
            else:
                yield Declared("value", 1, 1, choice=False, facts=self.facts(base)), body
        for node in body:
            if node.xml.tag == f"{XSD}attribute":
                least = int(node.xml.get("use") == "required")
                yield Declared(node.xml.attrib["name"], least, 1, choice=False, facts=self._limits(node)), node
        for node in body:
            yield from self._particles(node, choice=False)

    def _particles(self, node: Node, *, choice: bool) -> Iterator[tuple[Declared, Node]]:
        if node.xml.tag in (f"{XSD}sequence", f"{XSD}choice"):
            for inner in node:
                yield from self._particles(inner, choice=node.xml.tag == f"{XSD}choice")
        elif node.xml.tag == f"{XSD}element":
            name = node.name("ref")[1] if "ref" in node.xml.attrib else node.xml.attrib["name"]
            least, most = (node.xml.get(bound, "1") for bound in ("minOccurs", "maxOccurs"))
            bound = None if most == "unbounded" else int(most)
            yield Declared(name, 0 if choice else int(least), bound, choice=choice, facts=self._limits(node)), node

    def _limits(self, node: Node) -> Facts | None:
        return self.facts(self.type_of(node))

    def _named(self, name: Name) -> Node | Simple:
        return BUILT_IN[name[1]] if name[0] == XSD[1:-1] else self.types[name]


def _restricted(base: Facts | None, facets: dict[str, int]) -> Facts | None:
    if isinstance(base, Whole):
        return Whole(facets.get("minInclusive", base.low), facets.get("maxInclusive", base.high))
    least = facets.get("length", facets.get("minLength"))
    most = facets.get("length", facets.get("maxLength"))
    if isinstance(base, Text):
        return Text(base.least if least is None else least, base.most if most is None else most)
    if isinstance(base, Octets):
        return Octets(base.form, base.least if least is None else least, base.most if most is None else most)
    return base


def _ours(field: Field) -> Declared:
    return Declared(field.name, field.least, field.most, choice=field.choice is not None, facts=_facts(field.type))


def _facts(kind: Type) -> Facts | None:
    if isinstance(kind, Listed):
        return tuple(str(member) for member in kind.members)
    return None if isinstance(kind, type) else kind


@cache
def _schemas() -> Schemas:
    return Schemas()


@cache
def _compared(name: str) -> set[type[Message]]:
    """Compare all classes of a set that its global elements lead to; tell which they are."""
    schemas = _schemas()
    todo: list[tuple[type[Message], Node]] = []
    for root in schema(name).grammar.documents:
        kind = schemas.type_of(schemas.elements[root.namespace, root.name])
        if isinstance(cls := root.types[0], type):
            assert isinstance(kind, Node)
            todo.append((cls, kind))
        else:
            assert _facts(cls) == schemas.facts(kind), root
    compared: set[type[Message]] = set()
    while todo:
        cls, node = todo.pop()
        if cls not in compared and cls.content is None:
            compared.add(cls)
            todo += _compare(cls, dict(schemas.declared(node)))
    return compared


def _compare(cls: type[Message], expected: dict[Declared, Node]) -> Iterator[tuple[type[Message], Node]]:
    """Compare the fields of a class, attributes in any order; tell the classes of its child elements."""
    first = [field for field in fields(cls) if field.mark is Mark.ATTRIBUTE]
    names = [field.name for field in first]
    then = [field for field in fields(cls) if field.mark is not Mark.ATTRIBUTE]
    assert sorted(map(_ours, first), key=_name) == sorted((one for one in expected if one.name in names), key=_name), (
        cls
    )
    assert [_ours(field) for field in then] == [one for one in expected if one.name not in names], cls
    for field in then:
        if isinstance(field.type, type):
            kind = _schemas().type_of(expected[_ours(field)])
            assert isinstance(kind, Node)
            yield field.type, kind


def _name(declared: Declared) -> str:
    return declared.name


@pytest.mark.parametrize("name", SETS)
def test_every_field_is_as_the_schema_has_it(name: str) -> None:
    assert _compared(name)


def test_no_class_was_left_out() -> None:
    compared = set().union(*(_compared(name) for name in SETS))
    used = {base for cls in compared for base in cls.__mro__}
    left = {cls for name in SETS for cls in schema(name).grammar.classes} - used
    unused = {"TargetPosition"}  # no message holds it
    assert {cls.__name__ for cls in left if cls.content is None} == unused
