"""Which schema set bytes belong to: right for every captured frame, told honestly where two fit."""

from __future__ import annotations

import gzip
import json
from random import Random

import pytest

from tests.random_messages import Messages, travelling
from tests.reference import REFERENCE, needs_reference
from v2g.protocols import SCHEMAS, schema
from v2g.views.guess import choose, guess, root_of, sets_with
from v2g.views.json import from_json

PRECHARGE = bytes.fromhex("80980137ab6fbbd171001c818812006041880800")
FRAMES = REFERENCE / "frames" / "real-cars.jsonl.gz"


def in_words_of_the_capture(name: str) -> str:
    return name.replace(".", "-").replace("ac_der", "acder").replace("_", "-")


@needs_reference
def test_every_captured_message_is_of_the_set_it_is_of() -> None:
    """Tried by all sets, without the payload type."""
    names = {in_words_of_the_capture(name): name for name in SCHEMAS}
    seen, wrong = set(), []
    for line in gzip.decompress(FRAMES.read_bytes()).splitlines():
        captured = json.loads(line)
        if captured["protocol"] in names:
            found = guess(bytes.fromhex(captured["exi"]), SCHEMAS)
            seen.add(names[captured["protocol"]])
            if not found.fits or found.fits[0].schema != names[captured["protocol"]]:
                wrong.append((captured["protocol"], captured["exi"]))
    assert not wrong
    assert len(seen) >= 8


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_set_writes_it_also_fits(name: str) -> None:
    codec = schema(name)
    random = Random(26)
    messages = Messages(codec.grammar, random)
    for _ in range(20):
        message = messages.message(random.choice(travelling(codec.grammar)))
        data = codec.encode(message)
        found = guess(data, SCHEMAS)
        assert name in (found.fits[0].schema, *found.also)
        assert root_of(codec.grammar, data, fragment=False).name == message.element
        for fit in found.fits:
            assert schema(fit.schema).read(data) == fit.decoded


def test_spare_bytes_do_not_hide_what_is_exact() -> None:
    found = guess(PRECHARGE + b"\0", SCHEMAS)
    assert found.fits[0].schema == "iso2"
    assert [str(note) for note in found.fits[0].decoded.notes] == ["spare bytes: 1 after 20"]


def test_the_root_behind_a_cookie() -> None:
    found = guess(b"$EXI" + PRECHARGE, SCHEMAS)
    assert (found.fits[0].schema, found.fits[0].root.name) == ("iso2", "V2G_Message")


def test_the_most_telling_reason_comes_first() -> None:
    reasons = guess(PRECHARGE[:12], SCHEMAS).reasons
    assert reasons[0].startswith("iso2: the bytes end too early at V2G_Message/Body/PreChargeReq/")
    assert guess(b"\x01", SCHEMAS).reasons == [
        "an unknown EXI header, bit 0; expected the EXI header 0x80 (version 1, no options)"
    ]


def test_the_smaller_of_two_sets_is_chosen() -> None:
    plain = {"Transform": {"Algorithm": "http://www.w3.org/TR/canonical-exi/"}}
    names = sets_with(SCHEMAS, "Transform", fragment=False)
    assert len(names) > 5
    assert choose(names, lambda codec: from_json(codec, plain))[0] == "xmldsig"


def test_a_name_that_no_set_has() -> None:
    with pytest.raises(ValueError, match="'Nothing' in urn:x is a root element of no schema set"):
        sets_with(SCHEMAS, "Nothing", "urn:x", fragment=False)
    assert sets_with(SCHEMAS, "V2G_Message", "urn:iso:15118:2:2013:MsgDef", fragment=False) == ["iso2"]
