"""Messages as XML: the schemas' namespaces, what XML cannot carry, and what is said of XML that is no message."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from random import Random
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endurance import count
from tests.random_messages import Messages
from tests.xml_of import xml_of
from v2g.exi.message import Message
from v2g.messages import iso2
from v2g.messages.app_protocol import AppProtocol, SupportedAppProtocolReq
from v2g.protocols import SCHEMAS, schema
from v2g.views import escapes
from v2g.views.parts import root_class
from v2g.views.xml import from_xml, parse, to_xml

PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
XML = b"""\
<V2G_Message xmlns="urn:iso:15118:2:2013:MsgDef" xmlns:h="urn:iso:15118:2:2013:MsgHeader"
    xmlns:b="urn:iso:15118:2:2013:MsgBody" xmlns:t="urn:iso:15118:2:2013:MsgDataTypes"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:iso:15118:2:2013:MsgDef x.xsd">
  <Header><h:SessionID> deadbeef </h:SessionID></Header><!-- hello -->
  <Body>
    <b:PreChargeReq>
      <b:DC_EVStatus>
        <t:EVReady>1</t:EVReady><t:EVErrorCode>NO_ERROR</t:EVErrorCode><t:EVRESSSOC>+57</t:EVRESSSOC>
      </b:DC_EVStatus>
      <b:EVTargetVoltage><t:Multiplier>0</t:Multiplier><t:Unit>V</t:Unit><t:Value>400</t:Value></b:EVTargetVoltage>
      <b:EVTargetCurrent><t:Multiplier>-1</t:Multiplier><t:Unit>A</t:Unit><t:Value>-2</t:Value></b:EVTargetCurrent>
    </b:PreChargeReq>
  </Body>
</V2G_Message>
"""


def same(one: bytes, other: bytes) -> bool:
    return ET.canonicalize(one, rewrite_prefixes=True) == ET.canonicalize(other, rewrite_prefixes=True)


def test_xml_of_another_hand_is_understood() -> None:
    message = from_xml(schema("iso2"), XML)
    assert schema("iso2").encode(message).hex() == PRECHARGE


def test_namespaces_have_readable_prefixes() -> None:
    text = to_xml(schema("iso2").decode(bytes.fromhex(PRECHARGE))).decode()
    assert text.startswith('<MsgDef:V2G_Message xmlns:MsgBody="urn:iso:15118:2:2013:MsgBody"')
    assert "<MsgHeader:SessionID>DEADBEEF</MsgHeader:SessionID>" in text
    assert "escape" not in text


def test_the_handshake_has_no_namespace_below_its_root() -> None:
    entry = AppProtocol(ProtocolNamespace="urn:x", VersionNumberMajor=2, VersionNumberMinor=0, SchemaID=1, Priority=1)
    text = to_xml(SupportedAppProtocolReq(AppProtocol=[entry])).decode()
    assert "<AppProtocol><ProtocolNamespace>urn:x</ProtocolNamespace>" in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_documents_come_back_and_equal_what_others_write(name: str) -> None:
    """Also from indented XML, whose spaces mean nothing."""
    codec = schema(name)
    messages = Messages(codec.grammar, Random(22), tame=True)
    for _ in range(count(60, 3_000)):
        message = messages.root()
        assert same(to_xml(message), xml_of(message))
        assert from_xml(codec, xml_of(message)) == message
        assert from_xml(codec, to_xml(message, pretty=True)) == message


@pytest.mark.parametrize("name", SCHEMAS)
def test_any_characters_come_back(name: str) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(23))
    marked = 0
    for _ in range(count(100, 3_000)):
        message = messages.root()
        text = to_xml(message, pretty=True)
        marked += escapes.NAMESPACE.encode() in text
        assert from_xml(codec, text) == message
    assert marked


@pytest.mark.parametrize("name", SCHEMAS)
def test_fragments_come_back(name: str) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(24))
    for root in codec.grammar.fragments:
        cls = root_class(root)
        if cls is not None and cls.content is None:
            message = messages.message(cls)
            assert from_xml(codec, to_xml(message, root), fragment=True) == message


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    message = iso2.EMAID(Id=text, value=text)
    root = next(root for root in schema("iso2").grammar.fragments if root.name == "eMAID")
    again = from_xml(schema("iso2"), to_xml(message, root, pretty=True), fragment=True)
    assert again == message


def test_what_xml_cannot_carry_is_escaped_where_the_mark_says_so() -> None:
    setup = iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="\x01\\\x00")
    text = to_xml(setup)
    assert b'<MsgBody:EVSEID escape:escaped="text">\\u0001\\\\\\u0000</MsgBody:EVSEID>' in text
    assert from_xml(schema("iso2"), text) == setup
    plain = to_xml(iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="a\\u0041b"))
    assert b"<MsgBody:EVSEID>a\\u0041b</MsgBody:EVSEID>" in plain


HEADER = b"<V2G_Message xmlns='urn:iso:15118:2:2013:MsgDef'>"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "no XML"),
        (b"<a>", "no XML: Premature end"),
        (b"<a/>\n<b/>", "document, line 2, column 1; put several messages into one element"),
        (b"<a>&b;</a>", "no XML: Entity 'b' not defined"),
        (b"\xff\xfe<", "no XML"),
        (b"<!DOCTYPE a><a/>", "a document type is refused"),
        (b"<V2G_Message/>", "V2G_Message is in no namespace; it belongs in urn:iso:15118:2:2013:MsgDef"),
        (HEADER + b"</V2G_Message>", "V2G_Message/Header is missing"),
        (XML.replace(b"<Body>", b"<Body>x"), "V2G_Message/Body (line 5): 'x' stands between elements"),
        (XML.replace(b"<Header>", b"<Header a='1'>"), "V2G_Message/Header/@a (line 4) is unknown"),
        (XML.replace(b"<h:SessionID>", b"<h:SessionID a='1'>"), "Header/SessionID/@a (line 4) is unknown"),
        (XML.replace(b"h:SessionID>", b"h:Session>"), "Header/Session (line 4) is unknown; did you mean SessionID?"),
        (XML.replace(b"h:SessionID>", b"b:SessionID>"), "it belongs in urn:iso:15118:2:2013:MsgHeader"),
        (XML.replace(b"deadbeef", b"dead<x/>"), "Header/SessionID (line 4) holds elements"),
        (XML.replace(b"deadbeef", b"dea"), "V2G_Message/Header/SessionID (line 4): 'dea' is not hex"),
        (XML.replace(b"<t:EVReady>1</t:EVReady>", b"<t:EVReady>2</t:EVReady>"), "EVReady (line 8): '2' is no boolean"),
        (XML.replace(b"+57", b"5_7"), "EVRESSSOC (line 8): '5_7' is no whole number"),
        (XML.replace(b"+57", b"9" * 5_000), "is no whole number"),
        (XML.replace(b"<t:EVReady>1</t:EVReady>", b""), "DC_EVStatus/EVReady is missing; add it"),
        (XML.replace(b"<t:Unit>V</t:Unit>", b"<t:Unit>V</t:Unit><t:Multiplier>0</t:Multiplier>"), "stands too late"),
        (XML.replace(b"<t:Unit>V</t:Unit>", b"<t:Unit>V</t:Unit><t:Unit>V</t:Unit>"), "only one of its kind"),
    ],
)
def test_what_does_not_belong_is_named(text: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        from_xml(schema("iso2"), text)


def test_a_backslash_that_begins_no_escape_is_named() -> None:
    text = to_xml(iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="\x01")).replace(b"\\u0001", b"\\x")
    with pytest.raises(ValueError, match=r"SessionSetupRes/EVSEID \(line 1\): a backslash begins no escape"):
        from_xml(schema("iso2"), text)


LAUGHS = b"<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (number, b"&a%d;" % (number - 1) * 10) for number in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        b"<!DOCTYPE a [" + LAUGHS + b"]><a>&a11;</a>",
        b"<!DOCTYPE a [" + LAUGHS + b"]><a b='&a11;'/>",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/a.dtd'><a/>",
        b"<!DOCTYPE a [<!ENTITY % b SYSTEM 'http://127.0.0.1:9/b'> %b;]><a/>",
        "<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>".encode("utf-16"),
        b"<a>" * 10_000,
        b"<a " + b" ".join(b"b%d=''" % number for number in range(1_000)) + b">" + b"x" * 11_000_000 + b"</a>",
    ],
    ids=["text", "attribute", "file", "dtd", "parameter", "utf-16", "deep", "huge"],
)
def test_hostile_xml_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"refused|no XML") as caught:
        parse(text)
    assert "root:" not in str(caught.value)


@given(st.integers(0, 2**32), st.sampled_from(SCHEMAS))
def test_broken_xml_is_a_message_or_a_value_error(seed: int, name: str) -> None:
    random = Random(seed)
    text = bytearray(to_xml(Messages(schema(name).grammar, random).root()))
    for _ in range(random.randint(1, 4)):
        start, other = random.randrange(len(text)), random.randrange(len(text))
        text[start : start + random.randint(0, 12)] = text[other : other + random.randint(0, 12)]
    with contextlib.suppress(ValueError):
        assert isinstance(from_xml(schema(name), bytes(text)), Message)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_xml_or_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse(data)


def test_without_lxml_the_remedy_is_told() -> None:
    program = "import sys; sys.modules['lxml'] = None\ntry: import v2g.views.xml\nexcept ImportError as e: print(e)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told == "XML needs lxml: pip install 'plugcharge[xml]'\n"
