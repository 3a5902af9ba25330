"""Bytes that real cars and chargers sent: all are understood, and written back as others write them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.reference import REFERENCE, needs_reference
from v2g.exi.explain import Reading
from v2g.protocols import schema

FRAMES = REFERENCE / "frames" / "real-cars.jsonl.gz"
SETS = {
    # name in the record: schema set, frames
    "sap": ("sap", 13),
    "din": ("din", 767),
    "iso2": ("iso2", 3591),
    "iso20-common": ("iso20.common", 26),
    "iso20-ac": ("iso20.ac", 7),
    "iso20-dc": ("iso20.dc", 15),
    "iso20-acder-iec": ("iso20.ac_der_iec", 14),
    "iso20-acder-sae": ("iso20.ac_der_sae", 11),
}


def _records(protocol: str | None = None) -> Iterator[dict[str, Any]]:
    with gzip.open(FRAMES, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if protocol in (None, record["protocol"]):
                yield record


@needs_reference
@pytest.mark.parametrize("protocol", SETS)
def test_every_frame_is_understood_and_written_back_as_peers_do(protocol: str) -> None:
    name, frames = SETS[protocol]
    codec = schema(name)
    same = 0
    for record in _records(protocol):
        data = bytes.fromhex(record["exi"])
        decoded = codec.read(data)
        assert decoded.notes == (), record["from"]
        assert decoded == Reading(codec.grammar, data).document(), record["from"]
        assert codec.encode(decoded.message).hex() == record["exi"], record["from"]
        same += "ok-same" in (record["exificient"], record["cbv2g"])
    assert same == frames, "EXIficient or libcbv2g write back all of them identically"


@needs_reference
def test_no_protocol_of_the_record_is_passed_over() -> None:
    assert {record["protocol"] for record in _records()} - {"sdp"} == SETS.keys()
