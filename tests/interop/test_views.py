"""Our XML beside EXIficient's, and under the schema files that come with Josev."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from tests.endurance import count
from tests.interop import exificient as peer
from tests.interop.exificient import SCHEMAS, Exificient
from tests.interop.josev import ENVIRONMENT
from tests.random_messages import Messages, travelling
from v2g.commands import v2g
from v2g.protocols import schema
from v2g.views.xml import from_xml, to_xml
from v2g.views.xsd import Schemas

PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
FOLDER = next(iter(sorted(ENVIRONMENT.glob("lib/python*/site-packages/iso15118/shared/schemas"))), None)
# Random texts are seldom names, URIs, or what the schemas' patterns want: no declaration of ours says so.
LEXICAL = re.compile(r"'(xs:anyURI|xs:ID|xs:IDREF|\{urn:iso:15118:2:2010:AppProtocol\}protocolNamespaceType)'\.$")
pytestmark = [pytest.mark.interop, pytest.mark.skipif(FOLDER is None, reason=peer.obstacle() or "no schema files")]


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    """The schema files of all sets, found in one folder."""
    assert FOLDER is not None
    return Schemas(FOLDER)


@pytest.mark.parametrize("name", SCHEMAS)
def test_our_xml_is_exificients(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(27), tame=True)
    classes = travelling(codec.grammar)
    for number in range(count(60, 1_000)):
        message = messages.message(classes[number % len(classes)])
        data = codec.encode(message)
        theirs, ours = exificient.decode(name, data), to_xml(message)
        assert ET.canonicalize(theirs, rewrite_prefixes=True) == ET.canonicalize(ours, rewrite_prefixes=True)
        assert from_xml(codec, theirs) == message
        assert exificient.encode(name, ours) == data


@pytest.mark.parametrize("name", SCHEMAS)
def test_our_xml_passes_the_schema_files(name: str, schemas: Schemas) -> None:
    messages = Messages(schema(name).grammar, Random(28), tame=True)
    classes = travelling(schema(name).grammar)
    for number in range(count(60, 1_000)):
        message = messages.message(classes[number % len(classes)])
        faults = schemas.faults(to_xml(message, pretty=True))
        assert [fault for fault in faults if not LEXICAL.search(fault)] == []


def test_a_value_out_of_range_is_named_with_its_line() -> None:
    text = CliRunner().invoke(v2g, ["decode", "--xml", PRECHARGE, "--xsd", str(FOLDER)])
    assert text.exit_code == 0, text.output
    broken = text.stdout.replace("<MsgDataTypes:EVRESSSOC>57<", "<MsgDataTypes:EVRESSSOC>101<")
    line = next(number for number, each in enumerate(broken.splitlines(), 1) if ">101<" in each)
    refused = CliRunner().invoke(v2g, ["encode", "-", "--lenient", "--xsd", str(FOLDER)], input=broken)
    assert refused.exit_code == 1
    assert f"--xsd: line {line}: Element '{{urn:iso:15118:2:2013:MsgDataTypes}}EVRESSSOC'" in refused.stderr
    assert "'101' is greater than the maximum value allowed ('100')" in refused.stderr


def test_characters_that_xml_cannot_carry_count_as_one_each(schemas: Schemas) -> None:
    """A station sends the bytes 1 to 8 as its id: seven to 37 characters are allowed."""
    from v2g.messages import iso2

    setup = iso2.SessionSetupRes(
        ResponseCode=iso2.ResponseCode.OK, EVSEID="\x01\x02\x03\x04\x05\x06\x07\x08", EVSETimeStamp=1
    )
    assert schemas.faults(to_xml(setup, pretty=True)) == []


def test_the_schema_files_stay_where_they_are() -> None:
    tracked = Path(__file__).parents[2]
    assert not list(tracked.glob("[!.]*/**/*.xsd"))
