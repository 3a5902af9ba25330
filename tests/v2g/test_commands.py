"""`decode` and `encode` as a user calls them: every form of input and output, and what is said of garbage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from v2g.commands import v2g
from v2g.protocols import SCHEMAS
from v2g.v2gtp import PayloadType, frame
from v2g.views.input import LARGEST

ROOT = Path(__file__).parents[2]
PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
SETUP = "809802000000000000000011d018282c3034383c00"
HANDSHAKE = "8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30010000040040"
EMAID = "80ec0202b4b21a400151114c7d3d00"
TREE = """\
V2G_Message
  Header
    SessionID DEADBEEF
  Body
    PreChargeReq
      DC_EVStatus
        EVReady true
        EVErrorCode NO_ERROR
        EVRESSSOC 57
      EVTargetVoltage 400 V (Multiplier 0)
      EVTargetCurrent -0.2 A (Multiplier -1)
"""


def run(*arguments: str, given: bytes | str = b"") -> Result:
    result = CliRunner().invoke(v2g, arguments, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def out(*arguments: str, given: bytes | str = b"") -> str:
    result = run(*arguments, given=given)
    assert result.exit_code == 0, result.output
    return result.stdout


# decode


def test_a_message_as_a_tree() -> None:
    assert out("decode", PRECHARGE) == "iso2 document, 20 bytes\n" + TREE


@pytest.mark.parametrize(
    "written",
    [
        PRECHARGE,
        PRECHARGE.upper(),
        "0x" + PRECHARGE,
        bytes.fromhex(PRECHARGE).hex(" "),
        bytes.fromhex(PRECHARGE).hex(":", 2) + "\n",
        ", ".join(f"0x{octet:02X}" for octet in bytes.fromhex(PRECHARGE)),
        "\n".join([PRECHARGE[:16], PRECHARGE[16:], ""]),
    ],
)
def test_hex_however_it_is_written(written: str, tmp_path: Path) -> None:
    assert out("decode", written).endswith(TREE)
    assert out("decode", "-", given=written).endswith(TREE)
    (tmp_path / "dump.txt").write_text(written)
    assert out("decode", str(tmp_path / "dump.txt")).endswith(TREE)


@pytest.mark.parametrize("framed", [False, True])
def test_bytes_from_a_file_and_from_standard_input(tmp_path: Path, framed: bool) -> None:
    data = bytes.fromhex(PRECHARGE)
    data = frame(PayloadType.EXI, data) if framed else data
    (tmp_path / "message.exi").write_bytes(data)
    assert out("decode", str(tmp_path / "message.exi")).endswith(TREE)
    assert out("decode", "-", given=data).endswith(TREE)


def test_frames_one_after_the_other() -> None:
    data = b"".join(frame(PayloadType.EXI, bytes.fromhex(text)) for text in (HANDSHAKE, SETUP, PRECHARGE))
    told = out("decode", data.hex())
    headings = [line for line in told.splitlines() if line.startswith("frame")]
    assert headings == [
        "frame 1, payload type 0x8001: sap document, 36 bytes",
        "frame 2, payload type 0x8001: iso2 document, 21 bytes",
        "frame 3, payload type 0x8001: iso2 document, 20 bytes",
    ]
    envelopes = json.loads(out("decode", data.hex(), "--json"))
    assert [envelope["schema"] for envelope in envelopes] == ["sap", "iso2", "iso2"]


def test_the_envelope_of_json() -> None:
    envelope = json.loads(out("decode", "--json", frame(PayloadType.EXI, bytes.fromhex(PRECHARGE) + b"\0").hex()))
    message = envelope.pop("message")
    assert message["V2G_Message"]["Body"]["PreChargeReq"]["EVTargetVoltage"]["Value"] == 400
    assert envelope == {
        "schema": "iso2",
        "also_fits": [],
        "fragment": False,
        "payload_type": "0x8001",
        "notes": [{"quirk": "spare bytes", "path": "", "detail": "1 after 20"}],
    }


@pytest.mark.parametrize("form", [[], ["--xml"], ["--explain"]])
def test_notes_stand_in_every_form(form: list[str]) -> None:
    assert "note: spare bytes: 1 after 20" in out("decode", PRECHARGE + "00", *form)


def test_a_note_with_hyphens_does_not_end_its_comment() -> None:
    """The second offer refers to the namespace of the first, which is a---b---."""
    data = "80005b0969696b116969690001000004000000020000100880"
    text = out("decode", "--xml", data)
    assert "a- - -b- - - " in text
    assert out("encode", "-", given=text).startswith("80005b0969696b11696969")


def test_every_bit_is_explained() -> None:
    lines = out("decode", "--explain", PRECHARGE).splitlines()[1:]
    assert lines[0].split() == ["0", "10000000", "EXI", "header:", "version", "1,", "no", "options"]
    assert any(line.split()[:4] == ["94", "011", "Multiplier", "0"] for line in lines)
    bits = "".join(line.split()[1] for line in lines)
    assert bits == "".join(f"{octet:08b}" for octet in bytes.fromhex(PRECHARGE))


def test_two_sets_that_fit_are_told() -> None:
    """An AC message that has no part of Amendment 1 in it has the same bits there."""
    message = {"AC_ChargeLoopRes": {"Header": {"SessionID": "00" * 8, "TimeStamp": 1}, "ResponseCode": "OK"}}
    message["AC_ChargeLoopRes"]["Dynamic_AC_CLResControlMode"] = {
        "EVSETargetActivePower": {"Exponent": 0, "Value": 7400}
    }
    data = out("encode", "-", "--schema", "iso20.ac", given=json.dumps(message)).strip()
    fits = [name for name in SCHEMAS if run("decode", data, "--schema", name).exit_code == 0]
    told = out("decode", data).splitlines()[0]
    assert "iso20.ac" in fits
    assert told.startswith("iso20.ac document")
    if fits != ["iso20.ac"]:
        assert f"also fits: {', '.join(name for name in fits if name != 'iso20.ac')}" in told


def test_the_payload_type_narrows_and_a_wrong_one_is_told() -> None:
    session = {"SessionSetupReq": {"Header": {"SessionID": "00" * 8, "TimeStamp": 1}, "EVCCID": "x"}}
    data = bytes.fromhex(out("encode", "-", "--schema", "iso20.common", given=json.dumps(session)))
    assert out("decode", frame(PayloadType.MAINSTREAM, data).hex()).splitlines()[1] == "SessionSetupReq"
    told = out("decode", frame(PayloadType.EXI, data).hex()).splitlines()
    assert told[1] == "note: a payload type that does not carry iso20.common"


def test_a_fragment() -> None:
    assert out("decode", "--fragment", EMAID) == (
        "iso2 fragment, 15 bytes\n"
        "note: value out of range at eMAID: length 3 is not a text of 14 to 15 characters\n"
        "eMAID @Id=id4\n"
        "  value DE1\n"
    )
    refused = run("decode", EMAID)
    assert refused.exit_code == 1
    assert "as a fragment it is eMAID of iso2: say --fragment" in refused.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["zz"], "'zz' is neither a file nor hex: 'z' is no hexadecimal digit"),
        (["80g" * 5_000], "is neither a file nor hex: 'g' is no hexadecimal digit"),
        (["809"], "3 hexadecimal digits are no whole bytes"),
        ([""], "'' holds no bytes"),
        (["/"], "'/': Is a directory"),
        (["00"], "an unknown EXI header, bit 0; expected the EXI header 0x80"),
        (["8098", "--schema", "iso2"], "the bytes end too early at V2G_Message/Header, bit 16; expected SessionID"),
        (["8098"], "  iso2: the bytes end too early at V2G_Message/Header, bit 16"),
        (["01fea00000000002 1000"], "frame 1: payload type 0xa000 carries no EXI"),
        (["01fe800100000002 10"], "frame 1: its header announces 2 bytes, 1 are there"),
        (["01fe8001ffffffff 10"], "length 4294967295 at V2GTP, bit 32; expected at most 65536"),
        (["01fe800100000000"], "frame 1: it is empty; its header announces 0 bytes"),
        (["80" * 70_000], "70000 bytes"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: list[str], told: str) -> None:
    result = run("decode", *arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_what_was_read_before_an_error_is_shown() -> None:
    data = frame(PayloadType.EXI, bytes.fromhex(PRECHARGE)) + frame(PayloadType.EXI, b"\x80\x98") + b"garbage.."
    result = run("decode", data.hex())
    assert result.exit_code == 1
    assert TREE in result.stdout
    assert "frame 2: no schema set reads this" in result.stderr
    assert "frame 3: bytes 67 61 begin no header" in result.stderr
    objects = json.loads(run("decode", "--json", data.hex()).stdout)
    assert objects[0]["message"]
    reason = next(error for error in objects[1]["errors"] if error["schema"] == "iso2")
    assert (reason["path"], reason["bit"], reason["expected"]) == ("V2G_Message/Header", 16, "SessionID")


def test_an_undecodable_message_is_explained_up_to_its_error() -> None:
    result = run("decode", "--explain", PRECHARGE[:30])
    assert result.exit_code == 1
    assert "SE EVTargetCurrent" not in result.stdout
    assert "not read: the bytes end too early" in result.stdout.splitlines()[-1]


def test_too_much_input_is_refused() -> None:
    result = run("decode", "-", given=b"\x80" * (LARGEST + 1))
    assert result.exit_code == 1
    assert f"more than {LARGEST} bytes" in result.output
    assert "more than" in run("encode", "-", given=b" " * (LARGEST + 1)).output


def test_text_that_could_act_on_a_terminal_does_not() -> None:
    plain = {"SessionSetupRes": {"ResponseCode": "OK", "EVSEID": "\x1b[2J\u202e 'x'"}}
    data = out("encode", "-", "--schema", "iso2", given=json.dumps(plain)).strip()
    for form in ([], ["--explain"], ["--json"], ["--xml"]):
        told = run("decode", data, *form).output
        assert "\x1b" not in told
    assert "EVSEID \"\\x1b[2J\\u202e 'x'\"" in out("decode", data)


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda data: frame(PayloadType.EXI, b"\x80" + data)))
def test_any_bytes_are_shown_or_refused(data: bytes) -> None:
    for form in ([], ["--json"], ["--xml"], ["--explain"]):
        assert run("decode", "-", *form, given=data).exit_code in (0, 1)


@given(st.text(max_size=60))
def test_any_argument_is_taken_or_refused(text: str) -> None:
    assert run("decode", "--", text).exit_code in (0, 1)


# encode


@pytest.mark.parametrize("form", ["--json", "--xml"])
@pytest.mark.parametrize("data", [PRECHARGE, SETUP, HANDSHAKE])
def test_encode_is_the_way_back(data: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "message").write_text(out("decode", form, data))
    assert out("encode", str(tmp_path / "message")) == data + "\n"
    assert out("encode", "-", given=out("decode", form, data)) == data + "\n"


def test_the_message_of_an_envelope_is_enough() -> None:
    message = json.loads(out("decode", "--json", HANDSHAKE))["message"]
    assert out("encode", "-", given=json.dumps(message)) == HANDSHAKE + "\n"


@pytest.mark.parametrize("form", ["--json", "--xml"])
def test_fragments_go_both_ways(form: str) -> None:
    text = out("decode", "--fragment", form, EMAID)
    assert out("encode", "--fragment", "-", given=text) == EMAID + "\n"


def test_frames_go_both_ways() -> None:
    data = b"".join(frame(PayloadType.EXI, bytes.fromhex(text)) for text in (HANDSHAKE, SETUP))
    lines = out("encode", "--frame", "-", given=out("decode", "--json", data.hex())).splitlines()
    assert bytes.fromhex("".join(lines)) == data
    assert len(lines) == 2


def test_raw_bytes_to_a_file(tmp_path: Path) -> None:
    text = out("decode", "--json", PRECHARGE)
    assert out("encode", "-", "--raw", "--frame", "-o", str(tmp_path / "m"), given=text) == ""
    assert (tmp_path / "m").read_bytes() == frame(PayloadType.EXI, bytes.fromhex(PRECHARGE))
    assert run("encode", "-", "--raw", given=text).stdout_bytes == bytes.fromhex(PRECHARGE)
    refused = run("encode", "-", "-o", str(tmp_path / "none" / "m"), given=text)
    assert refused.exit_code == 1
    assert "No such file or directory" in refused.output


def test_values_out_of_range_only_when_asked_for() -> None:
    text = out("decode", "--json", PRECHARGE).replace('"EVRESSSOC": 57', '"EVRESSSOC": 120')
    refused = run("encode", "-", given=text)
    assert refused.exit_code == 1
    assert "V2G_Message/Body/PreChargeReq/DC_EVStatus/EVRESSSOC" in refused.output
    data = out("encode", "--lenient", "-", given=text).strip()
    assert "note: value out of range" in out("decode", data)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nothing is there; hand over a message"),
        (" \n", "nothing is there; hand over a message"),
        ("hello", "neither JSON nor XML"),
        ("{", "no JSON: line 1, column 2"),
        ("[1]", 'no message; write {"<root element>": {...}}'),
        ('{"x": {}}', "'x' is a root element of no schema set"),
        ("<x/>", "'x' in no namespace is a root element of no schema set"),
        ('{"V2G_Message": {}}', "V2G_Message/Header is missing; add it (din, iso2)"),
        ('{"message": {"V2G_Message": {}}, "schema": "iso2"}', "V2G_Message/Header is missing; add it (iso2)"),
        ('{"message": {}, "schema": "iso3"}', "no message"),
        ('{"message": {"V2G_Message": {}}, "schema": "iso3"}', "no schema set is named 'iso3'"),
        ('{"message": {}, "schema": 1}', "schema is a text"),
        ('{"message": {}, "payload_type": "x"}', "payload_type: 'x' is none"),
        ('{"message": {}, "payload_type": "-1"}', "payload_type: '-1' is none"),
        ("[]", "no message; the list is empty"),
        ('{"message": {}, "other": 1}', "'other' is unknown beside a message"),
        ("<!DOCTYPE x><x/>", "a document type is refused"),
        ("\x00", "neither JSON nor XML"),
    ],
)
def test_what_cannot_be_written_is_told(text: str, told: str) -> None:
    result = run("encode", "-", given=text)
    assert result.exit_code == 1
    assert told in result.stderr


def test_a_message_of_two_standards_is_asked_about() -> None:
    plain = {"V2G_Message": {"Header": {"SessionID": "00"}, "Body": {"SessionStopReq": {}}}}
    stop = {"V2G_Message": {"Header": {"SessionID": "00"}, "Body": {}}}
    assert out("encode", "-", given=json.dumps(plain)).startswith("809a")  # -2 has a field more in it
    refused = run("encode", "-", given=json.dumps(stop))
    assert refused.exit_code == 1
    assert "this fits din and iso2; name one with --schema" in refused.stderr
    assert out("encode", "-", "--schema", "iso2", given=json.dumps(stop)).startswith("8098")
    assert out("encode", "-", "--schema", "din", given=json.dumps(stop)).startswith("809a")


def test_a_frame_needs_a_message_that_travels() -> None:
    refused = run("encode", "--fragment", "--frame", "-", given=out("decode", "--fragment", "--json", EMAID))
    assert refused.exit_code == 1
    assert "a fragment travels in no V2GTP frame" in refused.stderr


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_any_text_is_written_or_refused(text: str | bytes) -> None:
    assert run("encode", "-", given=text).exit_code in (0, 1)


# The user's schema files


SMALL_XSD = """\
<!DOCTYPE schema PUBLIC "-//W3C//DTD XMLSchema 200102//EN" "http://127.0.0.1:9/XMLSchema.dtd">
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:iso:15118:2:2010:AppProtocol">
  <xs:element name="supportedAppProtocolRes">
    <xs:complexType><xs:sequence>
      <xs:element name="ResponseCode" type="xs:string"/>
      <xs:element name="SchemaID" type="xs:unsignedByte"{optional}/>
    </xs:sequence></xs:complexType>
  </xs:element>
</xs:schema>
"""


def test_xml_is_checked_against_the_users_schema_files(tmp_path: Path) -> None:
    """Found by namespace, whatever the file is called; the document type is not fetched."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "any.xsd").write_text(SMALL_XSD.replace("{optional}", ' minOccurs="0"'))
    text = out("decode", "8040 0040", "--xml", "--xsd", str(tmp_path))
    assert out("encode", "-", "--xsd", str(tmp_path), given=text) == "80400040\n"
    (tmp_path / "deep" / "any.xsd").write_text(SMALL_XSD.replace("{optional}", ' minOccurs="2" maxOccurs="2"'))
    for result in (
        run("decode", "80400040", "--xsd", str(tmp_path)),
        run("encode", "-", "--xsd", str(tmp_path), given=text),
        run("encode", "-", "--xsd", str(tmp_path), given=out("decode", "80400040", "--json")),
    ):
        assert result.exit_code == 1
        assert "--xsd: line " in result.stderr
        assert "Expected is ( SchemaID )" in result.stderr


def test_lines_are_those_of_the_whole_output(tmp_path: Path) -> None:
    (tmp_path / "any.xsd").write_text(SMALL_XSD.replace("{optional}", ' minOccurs="2" maxOccurs="2"'))
    result = run("decode", "--xml", "80400040", "80400040", "--xsd", str(tmp_path))
    assert result.exit_code == 1
    lines = [int(line.partition("line ")[2].partition(":")[0]) for line in result.stderr.splitlines()]
    roots = [number for number, line in enumerate(result.stdout.splitlines(), 1) if "<AppProtocol:supp" in line]
    assert lines == roots
    assert "message 2: --xsd: line " in result.stderr


def test_a_fragment_has_no_schema_to_pass(tmp_path: Path) -> None:
    (tmp_path / "any.xsd").write_text(SMALL_XSD.replace("{optional}", ""))
    fragment = "80961001c8188120060418808f40"
    assert "this is a fragment" in run("decode", fragment, "--xsd", str(tmp_path)).stderr
    for form in ("--xml", "--json"):
        refused = run("encode", "-", "--xsd", str(tmp_path), given=out("decode", form, fragment))
        assert refused.exit_code == 1
        assert "this is a fragment; leave out --xsd" in refused.stderr


def test_a_folder_that_does_not_serve_is_told(tmp_path: Path) -> None:
    def told(*others: str) -> str:
        result = run("decode", "80400040", "--xsd", str(tmp_path), *others)
        assert result.exit_code != 0
        return result.stderr

    assert "holds no XSD" in told()
    (tmp_path / "a.xsd").write_text('<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"/>')
    assert "holds no XSD for urn:iso:15118:2:2010:AppProtocol" in told()
    (tmp_path / "b.xsd").write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x" elementFormDefault="qualified"/>'
    )
    assert "differ, both for urn:x" in told()
    (tmp_path / "b.xsd").write_text("<schema")
    assert "b.xsd: no XML" in told()
    (tmp_path / "b.xsd").write_text(SMALL_XSD.replace("xs:unsignedByte", "xs:nothing").replace("{optional}", ""))
    assert "b.xsd: " in told()
    importing = SMALL_XSD.replace('<xs:element name="supp', '<xs:import namespace="urn:y"/><xs:element name="supp')
    (tmp_path / "b.xsd").write_text(importing.replace("{optional}", ""))
    assert f"b.xsd imports urn:y; put its XSD in {tmp_path}" in told()
    assert "--xsd checks documents" in told("--fragment")
    for wrong in ("none", "a.xsd"):
        result = run("decode", "80400040", "--xsd", str(tmp_path / wrong))
        assert result.exit_code == 2
        assert "'--xsd': Directory" in result.stderr


# The real thing


def test_as_a_process() -> None:
    command = [sys.executable, "-m", "v2g", "decode", "-"]
    done = subprocess.run(command, cwd=ROOT, input=bytes.fromhex(PRECHARGE), capture_output=True, check=True)
    assert done.stdout.decode() == "iso2 document, 20 bytes\n" + TREE
    again = subprocess.run(
        [sys.executable, "-m", "plugcharge", "decode", "8098"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert again.returncode == 1
    assert again.stderr.startswith("Error: no schema set reads this:\n")


def test_a_terminal_that_does_not_know_a_character_shows_an_escape() -> None:
    plain = json.dumps({"SessionSetupRes": {"ResponseCode": "OK", "EVSEID": "DE*\u00e4\u20ac*1"}})
    data = out("encode", "-", "--schema", "iso2", given=plain).strip()
    command = [sys.executable, "-m", "v2g", "decode", data]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONIOENCODING": "latin-1"}, capture_output=True, encoding="latin-1", check=True
    )
    assert "EVSEID DE*\u00e4\\u20ac*1" in done.stdout


@pytest.mark.parametrize("command", ["decode", "encode"])
def test_without_lxml_the_remedy_is_told(command: str) -> None:
    program = f"import sys; sys.modules['lxml'] = None\nfrom v2g.commands import v2g\nv2g(['{command}', *sys.argv[1:]])"
    arguments = {"decode": ["--xml", PRECHARGE], "encode": ["-"]}[command]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], input="<x/>", cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "Error: XML needs lxml: pip install 'plugcharge[xml]'\n"


def test_no_command_loads_more_than_it_needs() -> None:
    program = (
        f"import sys\nfrom v2g.commands import v2g\nv2g(['decode', '{PRECHARGE}', '--schema', 'iso2'], False)\n"
    ).replace("False", "standalone_mode=False")
    program += "print({'lxml', 'cryptography', 'v2g.messages.din', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
