"""Messages as JSON: what stands there, that it comes back, and what is said of JSON that is no message."""

from __future__ import annotations

import contextlib
import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endurance import count
from tests.random_messages import Messages
from v2g.exi.fields import fields
from v2g.exi.message import Message
from v2g.messages import iso2, xmldsig
from v2g.protocols import SCHEMAS, schema
from v2g.views.json import from_json, parse, to_json
from v2g.views.parts import places, root_class

PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
PLAIN: dict[str, Any] = {
    "V2G_Message": {
        "Header": {"SessionID": "DEADBEEF"},
        "Body": {
            "PreChargeReq": {
                "DC_EVStatus": {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": 57},
                "EVTargetVoltage": {"Multiplier": 0, "Unit": "V", "Value": 400},
                "EVTargetCurrent": {"Multiplier": -1, "Unit": "A", "Value": -2},
            }
        },
    }
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return `PLAIN` with another value at a path of dots; None takes it out."""
    plain: dict[str, Any] = json.loads(json.dumps(PLAIN))
    *way, last = path.split(".")
    place = plain
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return plain


def test_a_message_is_its_wire_names_and_values() -> None:
    assert to_json(schema("iso2").decode(bytes.fromhex(PRECHARGE))) == PLAIN
    assert schema("iso2").encode(from_json(schema("iso2"), PLAIN)).hex() == PRECHARGE


def test_octets_follow_their_type_and_not_their_look() -> None:
    response = iso2.PaymentDetailsRes(
        ResponseCode=iso2.ResponseCode.OK, GenChallenge=b"DEADBEEFDEADBEEF", EVSETimeStamp=1
    )
    assert to_json(response)["PaymentDetailsRes"]["GenChallenge"] == "REVBREJFRUZERUFEQkVFRg=="
    request = iso2.SessionSetupReq(EVCCID=b"\xde\xad")
    assert to_json(request) == {"SessionSetupReq": {"EVCCID": "DEAD"}}
    assert from_json(schema("iso2"), {"SessionSetupReq": {"EVCCID": "dead"}}) == request


def test_values_attributes_and_lists() -> None:
    signature = xmldsig.SignatureValue(Id="id1", value=b"\x00\xff")
    assert to_json(signature) == {"SignatureValue": {"Id": "id1", "value": "AP8="}}
    options = iso2.PaymentOptionList(PaymentOption=[iso2.PaymentOption.Contract])
    assert to_json(options, "PaymentOptionList") == {"PaymentOptionList": {"PaymentOption": ["Contract"]}}


@pytest.mark.parametrize("name", SCHEMAS)
def test_documents_come_back(name: str) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(20))
    for _ in range(count(100, 5_000)):
        message = messages.root()
        assert from_json(codec, parse(json.dumps(to_json(message)))) == message


@pytest.mark.parametrize("name", SCHEMAS)
def test_fragments_come_back(name: str) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(21))
    roots = [(root.name, cls) for root in codec.grammar.fragments if (cls := root_class(root)) and not cls.content]
    for element, cls in roots:
        message = messages.message(cls)
        again = from_json(codec, to_json(message, element), fragment=True)
        assert again == message or type(again) is not cls  # the same name may belong to two types


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_name_tells_the_field(name: str) -> None:
    """In no class do two fields share a name, also not by their groups, and no list holds members of a group."""
    grammar = schema(name).grammar
    for cls in grammar.classes:
        names = []
        for field in fields(cls):
            if isinstance(field.type, type) and field.type.group:
                assert not field.many
                members = [start.type for start in grammar.members(field.type)]
                names += [kind.element for kind in members if isinstance(kind, type) and not kind.abstract]
            else:
                names.append(field.name)
        assert sorted(names) == sorted(places(grammar, cls))


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ([], "no message: a list is no object"),
        ({}, "0 root elements"),
        ({"V2G_Message": {}, "Signature": {}}, "2 root elements"),
        ({"Other": {}}, "'Other' is no root element"),
        ({"DigestValue": "AA=="}, "'DigestValue' is no root element"),
        ({"V2G_Message": 1}, "V2G_Message: 1 is no object"),
        ({"V2G_Message": None}, "V2G_Message: null is no object"),
        (
            changed("V2G_Message.Body.SessionStop", {}),
            "Body/SessionStop is unknown; did you mean SessionStopReq or SessionStopRes?",
        ),
        (changed("V2G_Message.Body.SessionStopReq", {}), "V2G_Message/Body/SessionStopReq: only one of its kind"),
        (changed("V2G_Message.Header", None), "V2G_Message/Header is missing; add it"),
        (changed("V2G_Message.Header.SessionID", "ABC"), "V2G_Message/Header/SessionID: 'ABC' is not hex"),
        (changed("V2G_Message.Header.SessionID", 7), "V2G_Message/Header/SessionID: 7 is no text; write hex"),
        (changed("V2G_Message.Body.PreChargeReq.DC_EVStatus.EVReady", 1), "EVReady: 1 is no boolean"),
        (changed("V2G_Message.Body.PreChargeReq.DC_EVStatus.EVRESSSOC", True), "EVRESSSOC: true is no whole number"),
        (changed("V2G_Message.Body.PreChargeReq.DC_EVStatus.EVRESSSOC", 5.0), "EVRESSSOC: 5.0 is no whole number"),
        (changed("V2G_Message.Body.PreChargeReq.DC_EVStatus.EVRESSSOC", "5"), "EVRESSSOC: '5' is no whole number"),
        (changed("V2G_Message.Body.PreChargeReq.EVTargetVoltage.Unit", "kV"), "Unit: 'kV' is not one of h, m, s, A"),
        (changed("V2G_Message.Body.PreChargeReq.EVTargetVoltage", []), "EVTargetVoltage: a list is no object"),
    ],
)
def test_what_does_not_belong_is_named(plain: Any, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        from_json(schema("iso2"), plain)


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"Parameter": [{"Name": "x"}]}, "Parameter[0]: nothing of boolValue, byteValue"),
        ({"Parameter": [{"Name": "x", "boolValue": True, "byteValue": 1}]}, "exclude each other; keep one of"),
        ({"Parameter": {"Name": "x"}}, "Parameter: an object is no list; write [...] even for one item"),
        ({"Parameter": []}, "ParameterSet/Parameter is missing"),
        ({"Parameter": [{"Name": "x", "boolValue": True}] * 17}, "ParameterSet/Parameter: 17 are too many; keep 16"),
        ({"Parameter": [{"Name": "\ud800", "boolValue": True}]}, "'\\ud800' is not Unicode text"),
    ],
)
def test_choices_and_lists_are_held(plain: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        from_json(schema("iso2"), {"ParameterSet": {"ParameterSetID": 1, **plain}}, fragment=True)


def test_values_out_of_range_pass_and_are_refused_when_sent() -> None:
    message = from_json(schema("iso2"), changed("V2G_Message.Body.PreChargeReq.DC_EVStatus.EVRESSSOC", 120))
    with pytest.raises(ValueError, match="EVRESSSOC"):
        schema("iso2").encode(message)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": }', "line 1, column 7"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"a": "\xff"}', "is no UTF-8"),
        ("1" * 10_000, "a number of more than 1000 digits"),
    ],
)
def test_text_that_is_no_json_of_ours(text: str | bytes, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse(text)


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@given(st.sampled_from(SCHEMAS), plain_values, st.booleans())
def test_any_json_is_a_message_or_a_value_error(name: str, plain: Any, fragment: bool) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(from_json(schema(name), plain, fragment=fragment), Message)


@given(st.integers(0, 2**32), st.sampled_from(SCHEMAS), plain_values)
def test_a_message_with_one_value_replaced_is_one_or_a_value_error(seed: int, name: str, value: Any) -> None:
    random = Random(seed)
    plain = to_json(Messages(schema(name).grammar, random).root())
    place: Any = plain
    while isinstance(place, dict) and place:
        key = random.choice(sorted(place))
        if not isinstance(place[key], dict) or random.random() < 0.2:
            place[key] = value
            break
        place = place[key]
    with contextlib.suppress(ValueError):
        assert isinstance(from_json(schema(name), plain), Message)
