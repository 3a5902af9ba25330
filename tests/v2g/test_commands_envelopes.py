"""`encode` takes back what `decode` printed: several messages, frames, fragments, what was no message."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from v2g.commands import v2g
from v2g.v2gtp import PayloadType, frame

PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
SETUP = "809802000000000000000011d018282c3034383c00"
HANDSHAKE = "8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30010000040040"
RECEIPT = "8079015a590c408000000000000000020626a2aa22a9169818181882e580de80"
DISCOVERY = "01fe9000000000021000"
SESSION = {"Header": {"SessionID": "00"}, "Body": {"SessionSetupReq": {"EVCCID": "0A"}}}
ROOT = Path(__file__).parents[2]


def run(*arguments: str, given: bytes | str = b"") -> Result:
    result = CliRunner().invoke(v2g, arguments, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def out(*arguments: str, given: bytes | str = b"") -> str:
    result = run(*arguments, given=given)
    assert result.exit_code == 0, result.output
    return result.stdout


def framed(*texts: str) -> str:
    return b"".join(frame(PayloadType.EXI, bytes.fromhex(text)) for text in texts).hex()


@pytest.mark.parametrize("form", ["--xml", "--json"])
def test_frames_come_back_with_what_is_no_message_among_them(form: str) -> None:
    data = framed(HANDSHAKE) + DISCOVERY + framed(PRECHARGE)
    told = out("decode", form, data)
    result = run("encode", "--frame", "-", given=told)
    assert result.stdout.replace("\n", "") == data
    assert "Note: message 2: it was no message; its bytes are written back as they are" in result.stderr


@pytest.mark.parametrize("form", ["--xml", "--json"])
def test_an_undecodable_frame_comes_back(form: str) -> None:
    data = framed(PRECHARGE) + framed("80980200")
    told = run("decode", form, data)
    assert told.exit_code == 1
    assert out("encode", "--frame", "-", given=told.stdout).replace("\n", "") == data
    assert out("encode", "-", given=told.stdout).split() == [PRECHARGE, "80980200"]


def test_several_messages_are_one_document_of_xml() -> None:
    """Elements without a namespace, such as those of the handshake, stay without one in it."""
    text = out("decode", "--xml", HANDSHAKE, PRECHARGE, RECEIPT)
    root = etree.fromstring(text)
    assert root.tag == "{urn:plugcharge:messages}messages"
    found = [etree.QName(child).localname for child in root.iterchildren("*")]
    assert found == ["supportedAppProtocolReq", "V2G_Message", "MeteringReceiptReq"]
    assert out("encode", "-", given=text).split() == [HANDSHAKE, PRECHARGE, RECEIPT]


@pytest.mark.parametrize("form", ["--xml", "--json"])
def test_a_fragment_says_that_it_is_one(form: str) -> None:
    """A MeteringReceiptReq can be a document too, and would be 31 other bytes."""
    assert out("encode", "-", given=out("decode", form, RECEIPT)).strip() == RECEIPT


def test_another_hand_may_add_instructions_anywhere() -> None:
    text = out("decode", "--xml", PRECHARGE).replace("<MsgDef:Body>", "<?x y?><MsgDef:Body><?plugcharge z?>")
    assert "<?x y?>" in text
    assert out("encode", "-", given='<?plugcharge schema="iso2"?>' + text).strip() == PRECHARGE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<messages xmlns="urn:plugcharge:messages"/>', "no message; the element messages is empty"),
        ('<m:messages xmlns:m="urn:plugcharge:messages"><m:unread hex="8"/></m:messages>', "hex: '8' is none"),
        ('<?plugcharge fragment="yes"?><x/>', "fragment true or false"),
        ('<?plugcharge payload_type="x"?><x/>', "payload_type: 'x' is none"),
        ('<V2G_Message xmlns="urn:x"/>', "it is one in urn:din:70121:2012:MsgDef, urn:iso:15118:2:2013:MsgDef"),
        ('{"V2G_Mesage": {}}', "did you mean V2G_Message?"),
        ('{"hex": 1}', "hex: 1 is none"),
        ('{"hex": "80", "mesage": {}}', "'mesage' is unknown beside hex"),
        ('{"message": {}, "scema": "iso2"}', "did you mean schema?"),
        ('{"message": {"V2G_Message": {}}, "schema": "iso"}', "no schema set is named 'iso'; did you mean iso2?"),
        ('{"x": {}}\n{"y": }', "line 2 alone is no JSON: line 1, column 7"),
    ],
)
def test_what_cannot_be_written_is_told(text: str, told: str) -> None:
    result = run("encode", "-", given=text)
    assert result.exit_code == 1
    assert told in result.stderr


def test_bytes_without_a_payload_type_are_no_frame() -> None:
    refused = run("encode", "--frame", "-", given='{"hex": "80"}')
    assert refused.exit_code == 1
    assert "bytes without payload_type travel in no V2GTP frame" in refused.stderr


def test_which_of_several_messages_is_wrong_is_told() -> None:
    good = json.loads(out("decode", "--json", PRECHARGE))
    bad = json.loads(out("decode", "--json", PRECHARGE).replace("57", "120"))
    for text in (json.dumps([good, bad]), f"{json.dumps(good)}\n\n{json.dumps(bad)}\n"):
        result = run("encode", "-", given=text)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: message 2: V2G_Message/Body/PreChargeReq/DC_EVStatus/EVRESSSOC: 120")
    result = run("encode", "-", given=json.dumps([good, {"x": {}}]))
    assert result.stderr.startswith("Error: message 2: 'x' is a root element of no schema set")


def test_an_error_goes_before_the_question_which_set_is_meant() -> None:
    """A PreChargeReq fits DIN and -2, a state of charge of 120 % neither."""
    text = json.dumps(json.loads(out("decode", "--json", PRECHARGE))["message"])
    assert "this fits din and iso2" in run("encode", "-", given=text).stderr
    wrong = text.replace("57", "120")
    assert "EVRESSSOC: 120 is not within 0 to 100 (din, iso2)" in run("encode", "-", given=wrong).stderr
    assert "this fits din and iso2" in run("encode", "-", "--lenient", given=wrong).stderr


def test_names_that_are_like_none_are_not_listed_by_the_dozen() -> None:
    text = json.dumps({"V2G_Message": {"Header": {"SessionID": "00"}, "Body": {"x": {}}}})
    told = run("encode", "-", given=text).stderr
    assert "V2G_Message/Body/x is unknown; known are " in told
    assert " more (iso2)" in told


def test_a_message_on_each_line_of_json() -> None:
    lines = [json.dumps(json.loads(out("decode", "--json", data))) for data in (PRECHARGE, HANDSHAKE)]
    assert out("encode", "-", given="\n".join(lines)).split() == [PRECHARGE, HANDSHAKE]


def test_another_set_than_that_of_the_envelope_is_told() -> None:
    result = run(
        "encode", "-", "--schema", "iso2", given=json.dumps({"schema": "din", "message": {"V2G_Message": SESSION}})
    )
    assert result.exit_code == 0
    assert "Note: the envelope says din, --schema iso2: it is written as iso2" in result.stderr


def test_a_message_that_nobody_takes_alone_is_told() -> None:
    alone = json.dumps({"SessionSetupReq": {"EVCCID": "0A"}})
    result = run("encode", "-", "--schema", "iso2", given=alone)
    assert result.exit_code == 0
    assert "SessionSetupReq is a part of other messages: no car or station takes it alone" in result.stderr
    assert run("encode", "-", "--schema", "iso2", given=json.dumps({"V2G_Message": SESSION})).stderr == ""


@pytest.mark.parametrize("command", [["v2g", "decode"], ["v2g", "encode"], ["plugcharge"], ["plugcharge", "encode"]])
def test_help_has_a_short_name(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command, "-h"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: ")
