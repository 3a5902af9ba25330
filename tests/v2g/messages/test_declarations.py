"""What every declared message keeps to, whichever standard it is of."""

from __future__ import annotations

import re

import pytest

from v2g.exi.fields import fields
from v2g.exi.message import Message
from v2g.exi.types import Enumeration, Listed
from v2g.protocols import SCHEMAS, schema


def _classes(name: str) -> dict[str, type[Message]]:
    return {cls.__name__: cls for cls in schema(name).grammar.classes}


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "xmldsig"])
def test_every_request_names_its_response_and_nothing_else_does(name: str) -> None:
    classes = _classes(name)
    requests = {cls: cls.__name__.removesuffix("Req") for cls in classes.values() if cls.element.endswith("Req")}
    for request, stem in requests.items():
        assert vars(request).get("Response") is classes[f"{stem}Res"], request
    responses = {vars(request)["Response"] for request in requests}
    assert len(responses) == len(requests)
    assert {cls for cls in classes.values() if cls.element.endswith("Res")} == responses
    assert [cls for cls in classes.values() if "Response" in vars(cls) and cls not in requests] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_class_says_in_one_sentence_what_it_is(name: str) -> None:
    kinds: set[type] = set(_classes(name).values())
    listed = {field.type for cls in _classes(name).values() for field in fields(cls)}
    kinds |= {kind.members for kind in listed if isinstance(kind, Listed)}
    for kind in kinds:
        assert kind.__doc__, kind
        assert re.fullmatch(r"[A-Z][^\n]*\.", kind.__doc__), kind
        words = re.sub(r"[^a-z]", "", kind.__doc__.lower())
        assert words != re.sub(r"[^a-z]", "", kind.__name__.lower()), f"{kind.__name__} only repeats its name"


@pytest.mark.parametrize("name", SCHEMAS)
def test_members_of_enumerations_are_named_as_their_texts(name: str) -> None:
    listed = {field.type for cls in _classes(name).values() for field in fields(cls)}
    for members in (kind.members for kind in listed if isinstance(kind, Listed)):
        assert issubclass(members, Enumeration)
        for member in members:
            assert re.sub(r"\W", "_", member.value) in (member.name, member.name.removesuffix("_")), members
        assert [member.position for member in members] == list(range(len(members)))
