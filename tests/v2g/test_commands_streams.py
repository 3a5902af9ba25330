"""Which streams `decode` sees in what a user hands over, and what it says of those it cannot or hardly read."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.endurance import count
from tests.reference import REFERENCE, needs_reference
from v2g.commands import v2g
from v2g.messages import iso2, xmldsig
from v2g.protocols import SCHEMAS, schema
from v2g.v2gtp import PayloadType, frame
from v2g.views.frames import frames
from v2g.views.input import Given, from_content, from_hex
from v2g.views.reading import looks

PRECHARGE = "80980137ab6fbbd171001c818812006041880800"
SETUP = "809802000000000000000011d018282c3034383c00"
HANDSHAKE = "8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30010000040040"
RECEIPT = "8079015a590c408000000000000000020626a2aa22a9169818181882e580de80"
"""A signed MeteringReceiptReq: din reads a document in its first three bytes."""
EXI = "http://www.w3.org/TR/canonical-exi/"
FRAMES = REFERENCE / "frames" / "real-cars.jsonl.gz"


def run(*arguments: str, text: bytes | str = b"") -> Result:
    result = CliRunner().invoke(v2g, ["decode", *arguments], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def out(*arguments: str, text: bytes | str = b"") -> str:
    result = run(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result.stdout


def signed_info() -> bytes:
    reference = xmldsig.Reference(
        URI="#id1",
        Transforms=xmldsig.Transforms(Transform=[xmldsig.Transform(Algorithm=EXI)]),
        DigestMethod=xmldsig.DigestMethod(Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"),
        DigestValue=bytes(32),
    )
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    info = xmldsig.SignedInfo(
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm=EXI),
        SignatureMethod=xmldsig.SignatureMethod(Algorithm=algorithm),
        Reference=[reference],
    )
    return schema("xmldsig").encode_fragment(info)


# Fragments


def test_a_clean_fragment_goes_before_a_document_with_most_bytes_left_over() -> None:
    lines = out(RECEIPT).splitlines()
    assert lines[0] == "iso2 fragment, 32 bytes"
    assert lines[1] == "note: as a document it is ServiceDiscoveryReq of din, with 29 bytes left over"
    assert lines[2] == "MeteringReceiptReq @Id=id1"
    assert out("80961001c8188120060418808f40").startswith("iso2 fragment, 14 bytes\n")
    assert out(signed_info().hex()).startswith("xmldsig fragment, 209 bytes\n")
    assert json.loads(out(RECEIPT, "--json"))["fragment"] is True


def test_a_document_with_most_of_its_bytes_left_over_is_not_well() -> None:
    result = run(RECEIPT, "--document")
    assert result.exit_code == 1
    assert result.stdout.startswith("din document, 32 bytes\n")
    assert "ServiceDiscoveryReq of din takes 3 of 32 bytes" in result.stderr
    assert "as a fragment it is MeteringReceiptReq of iso2: say --fragment" in result.stderr
    assert "say --fragment --schema iso2" in run(RECEIPT, "--schema", "din").stderr


@pytest.mark.parametrize("spare", [b"", b"\0", b"\0" * 9])
def test_a_document_stays_one_with_few_spare_bytes(spare: bytes) -> None:
    assert out((bytes.fromhex(PRECHARGE) + spare).hex()).startswith("iso2 document")


@needs_reference
def test_no_captured_message_is_taken_for_a_fragment() -> None:
    """Also not with the spare byte that some cars send."""
    captured = [json.loads(line) for line in gzip.decompress(FRAMES.read_bytes()).splitlines()]
    streams = {bytes.fromhex(each["exi"]) for each in captured if each["protocol"].replace("-", ".") in SCHEMAS}
    assert len(streams) > 50
    for stream in Random(27).sample(sorted(streams), min(len(streams), count(400, 300_000))):
        for data in (stream, stream + b"\0"):
            found, problems = looks(Given(data=data))
            assert not problems
            assert not found[0].fragment


# Lines, arguments, and how hex is written


def test_a_message_on_each_line() -> None:
    """As `encode` prints several."""
    text = f"{PRECHARGE}\n\n{SETUP}\n{HANDSHAKE}\n"
    told = out("-", text=text)
    headings = [line for line in told.splitlines() if " document, " in line]
    assert headings == [
        "message 1: iso2 document, 20 bytes",
        "message 2: iso2 document, 21 bytes",
        "message 3: sap document, 36 bytes",
    ]
    envelopes = json.loads(out("-", "--json", text=text))
    again = CliRunner().invoke(v2g, ["encode", "-"], input=json.dumps(envelopes))
    assert again.stdout.split() == [PRECHARGE, SETUP, HANDSHAKE]
    assert out(PRECHARGE, SETUP, HANDSHAKE) == told


def test_frames_and_bare_messages_on_lines() -> None:
    framed = frame(PayloadType.EXI, bytes.fromhex(SETUP)).hex()
    headings = [line for line in out("-", text=f"{framed}\n{PRECHARGE}").splitlines() if " document, " in line]
    assert headings == ["frame 1, payload type 0x8001: iso2 document, 21 bytes", "message 2: iso2 document, 20 bytes"]


def test_lines_of_one_message_stay_one_even_where_each_begins_like_one() -> None:
    setup = iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="DE*ABC*E1")
    data = schema("iso2").encode(setup)
    for cut in range(1, len(data)):
        assert len(looks(from_hex(f"{data[:cut].hex()}\n{data[cut:].hex()}"))[0]) == 1
    certificate = iso2.CertificateChain(Certificate=b"\x80" * 64)
    body = iso2.PaymentDetailsReq(eMAID="DE1ABC00000000", ContractSignatureCertChain=certificate)
    text = schema("iso2").encode(body).hex()
    cuts = [at for at in range(0, len(text), 2) if text[at : at + 2] == "80"]
    wrapped = "\n".join(text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True))
    assert len(from_hex(wrapped).lines) > 1 or len(cuts) == 1
    assert len(looks(from_hex(wrapped))[0]) == 1


def test_one_of_several_lines_that_cannot_be_read_is_named() -> None:
    result = run("-", text=f"{PRECHARGE}\n8098\n")
    assert result.exit_code == 1
    assert "message 2: no schema set reads this" in result.stderr


def test_bytes_as_several_arguments() -> None:
    assert out(*bytes.fromhex(PRECHARGE).hex(" ").split()) == out(PRECHARGE)


def test_a_file_among_several_arguments_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_text(PRECHARGE)
    result = run(str(tmp_path / "m"), PRECHARGE)
    assert result.exit_code == 2
    assert "name one at a time" in result.stderr


DUMPS = [
    """\
00000000: 8098 0137 ab6f bbd1 7100 1c81 8812 0060  ...7.o..q......`
00000010: 4188 0800                                A...
""",
    """\
00000000  80 98 01 37 ab 6f bb d1  71 00 1c 81 88 12 00 60  |...7.o..q......`|
00000010  41 88 08 00                                       |A...|
00000014
""",
    "\t0x0000:  8098 0137 ab6f bbd1 7100 1c81 8812 0060\n\t0x0010:  4188 0800\n",
]


@pytest.mark.parametrize(
    "written",
    [
        *DUMPS,
        "{" + ", ".join(f"0x{octet:02x}" for octet in bytes.fromhex(PRECHARGE)) + "}",
        "".join(f"\\x{octet:02x}" for octet in bytes.fromhex(PRECHARGE)),
        bytes.fromhex(PRECHARGE).hex("-"),
    ],
)
def test_hex_as_other_tools_write_it(written: str) -> None:
    for content in (written.encode(), b"\xef\xbb\xbf" + written.encode(), written.encode("utf-16")):
        assert from_content(content).data.hex() == PRECHARGE


@pytest.mark.parametrize(
    "written",
    [
        "00000000: 3830 3938 3031 3337 6162 3666 6262 6431  809801 37ab6fbb",
        "00000000: 3830 3938 3031 3337 6162 3666 6262 6431  80980137ab6fbbd1",
        "00000000  38 30 39 38 30 31 33 37  61 62 36 66 62 62 64 31  |80980137ab6fbbd1|",
    ],
)
def test_characters_that_look_like_hex_are_none(written: str) -> None:
    assert from_hex(written).data == b"80980137ab6fbbd1"


@given(st.binary(max_size=80), st.sampled_from([" ", "  ", "\t", "|", ":", "0x", "\n", "00000000: ", "80 98"]))
def test_any_hex_dump_is_read_or_refused(data: bytes, filling: str) -> None:
    text = "00000000: " + filling.join(chr(octet) for octet in data)
    with contextlib.suppress(ValueError):
        assert isinstance(from_hex(text), Given)


def test_hostile_hex_dumps_take_no_time() -> None:
    before = time.process_time()
    for line in ("80 " * 200_000, "80" * 200_000, "80  " * 100_000 + "x", " " * 400_000 + "x", "\t" * 400_000 + "x"):
        for offset in ("00000000: ", "00000000  "):
            with contextlib.suppress(ValueError):
                from_hex(offset + line)
    assert time.process_time() - before < 5


@given(st.binary(max_size=60), st.integers(1, 9))
def test_any_bytes_are_taken_apart_into_frames(data: bytes, first: int) -> None:
    found, problems = frames(bytes.fromhex("01fe80010000000411223344") + data, first)
    assert found[0].payload == bytes.fromhex("11223344")
    numbers = [piece.number for piece in found]
    assert numbers == sorted(set(numbers))
    assert len(found) > 1 or bool(problems) == bool(data)
    assert all(
        piece.is_cut is (f"frame {piece.number}: its header announces {piece.announced}" in "\n".join(problems))
        for piece in found
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"8098\n80 9g", "'g' is no hexadecimal digit (line 2, column 5)"),
        (b"8098\n809\n8098", "is one missing in line 2?"),
        (b"00000000: 8098 0137\n00000010: 80", "line 2 of the hex dump begins at 00000010, and 4 bytes precede it"),
        (b"00000000: 8098 0137\nhello", "line 2 is no line of a hex dump"),
        (bytes.fromhex("d4c3b2a1020004000000"), "a capture of packets (pcap)"),
        (b"\xff\xfe8", "it begins as text in utf-16, but byte"),
    ],
)
def test_where_hex_is_wrong(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(content)
    result = run(str(tmp_path / "dump"))
    assert result.exit_code == 1
    assert told in result.stderr


# Frames


def test_the_frame_that_is_wrong_is_named() -> None:
    good = frame(PayloadType.EXI, bytes.fromhex(PRECHARGE))
    empty, foreign = bytes.fromhex("01fe800100000000"), bytes.fromhex("02fd800100000002aaaa")
    result = run((good + empty + foreign + good + good[:-3]).hex())
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: frame 2: it is empty; its header announces 0 bytes",
        "frame 3: version 02 fd is not 01 fe; its 2 bytes are left out",
        "frame 5: its header announces 20 bytes, 17 are there",
    ]
    assert result.stdout.count("PreChargeReq") == 2
    assert "frame 4, payload" in result.stdout


def test_a_whole_message_in_a_cut_frame_is_shown() -> None:
    data = bytearray(frame(PayloadType.EXI, bytes.fromhex(PRECHARGE)))
    data[7] = 255
    result = run(data.hex())
    assert result.exit_code == 1
    assert "its header announces 255 bytes, 20 are there" in result.stderr
    assert "note: 235 bytes of the frame are missing behind the message" in result.stdout
    assert "PreChargeReq" in result.stdout


def test_half_a_header_is_named() -> None:
    assert "frame 2: 3 bytes of a header" in run(frame(PayloadType.EXI, bytes.fromhex(SETUP)).hex() + "01fe80").stderr


def test_what_is_nearly_a_frame_is_told() -> None:
    told = run("01fd8001000000048098").stderr
    assert "nor is it a V2GTP frame, which begins with 01 fe and not with 01 fd" in told


def test_discovery_is_shown_and_is_no_error() -> None:
    response = "fe80000000000000000000000000000d d93d 00 00".replace(" ", "")
    data = f"01fe900000000002100001fe900100000014{response}"
    told = out(data)
    assert "frame 1, payload type 0x9000 (sdp request): 2 bytes, no EXI\n  security NONE\n  transport TCP\n" in told
    assert "  address fe80::d\n  port 55613\n  security TLS\n" in told
    assert json.loads(out(data, "--json"))[0]["sdp"] == {"security": "NONE", "transport": "TCP"}
    assert run("01fe90000000000210ff").exit_code == 1


def test_the_header_is_explained() -> None:
    lines = out("--explain", frame(PayloadType.EXI, bytes.fromhex(PRECHARGE)).hex()).splitlines()
    assert lines[1:4] == [
        "01 fe: V2GTP version 1 and its inverse",
        "80 01: V2GTP payload type 0x8001 (exi)",
        "00 00 00 14: V2GTP payload length 20",
    ]


# The schema set


def test_a_wrong_schema_set_is_told() -> None:
    refused = run(PRECHARGE, "--schema", "sap")
    assert refused.exit_code == 1
    assert "iso2 reads it without a note: say so, or leave out --schema" in refused.stderr


def test_another_set_that_needs_no_note_is_a_hint_alone() -> None:
    """A message of ACDP, which the set of all kinds of energy transfer reads too, with a byte left over."""
    result = run("80080459469e917d6370f508a9b01240", "--schema", "iso20.common")
    assert result.exit_code == 0
    assert "note: spare bytes: 1 after 15" in result.stdout
    assert result.stderr == "Hint: iso20.acdp reads it without a note: say so, or leave out --schema\n"


@pytest.mark.parametrize("forms", [("--json", "--xml"), ("--json", "--explain"), ("--xml", "--explain")])
def test_two_forms_at_once_are_refused(forms: tuple[str, str]) -> None:
    result = run(PRECHARGE, *forms)
    assert result.exit_code == 2
    assert f"{forms[0]} and {forms[1]} exclude each other" in result.stderr


def test_help_is_short_too() -> None:
    assert "HEX|FILE|-" in out("-h")
