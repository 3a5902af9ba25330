"""The handshake: what real cars offer, and which of it is chosen."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.messages.app_protocol import AppProtocol, ResponseCode, SupportedAppProtocolReq
from v2g.protocols import DIN, ISO2, PROTOCOLS, SCHEMAS, Protocol, choose, offer, schema, schema_names
from v2g.v2gtp import PayloadType

TESLA = "urn:tesla:din:2018:MsgDef"


def request(*entries: tuple[str, int, int, int, int]) -> SupportedAppProtocolReq:
    """Make a request of (namespace, major, minor, schema id, priority)."""
    return SupportedAppProtocolReq(
        AppProtocol=[
            AppProtocol(
                ProtocolNamespace=namespace,
                VersionNumberMajor=major,
                VersionNumberMinor=minor,
                SchemaID=schema_id,
                Priority=priority,
            )
            for namespace, major, minor, schema_id, priority in entries
        ],
    )


def car(*entries: tuple[str, int, int]) -> SupportedAppProtocolReq:
    """Make a request as real cars send it, all of version 2.0."""
    return request(*((namespace, 2, 0, schema_id, priority) for namespace, schema_id, priority in entries))


REAL = {
    # name: offer, choice of a station for both, schema id, choice of a station for -2 alone
    "VW, Audi, Porsche, Mercedes EQE": (car((DIN.namespace, 1, 2), (ISO2.namespace, 0, 1)), ISO2, 0, ISO2),
    "BMW iX, Polestar, Skoda, Subaru": (car((DIN.namespace, 1, 1), (ISO2.namespace, 0, 2)), DIN, 1, ISO2),
    "BYD, XPENG": (car((DIN.namespace, 1, 1), (ISO2.namespace, 3, 5)), DIN, 1, ISO2),
    "Renault Zoe": (car((DIN.namespace, 0, 1), (ISO2.namespace, 1, 2)), DIN, 0, ISO2),
    "MG4": (car((DIN.namespace, 2, 1), (ISO2.namespace, 10, 2)), DIN, 2, ISO2),
    "Hyundai Ioniq5, Kia EV6": (car((DIN.namespace, 1, 1), (ISO2.namespace, 2, 2)), DIN, 1, ISO2),
    "Seres": (car((DIN.namespace, 10, 1), (ISO2.namespace, 20, 2)), DIN, 10, ISO2),
    "Tesla": (request((TESLA, 0, 7, 2, 1), (DIN.namespace, 2, 0, 1, 2)), DIN, 1, None),
    "Tesla Model X": (request((TESLA, 0, 7, 2, 3), (DIN.namespace, 2, 0, 1, 2)), DIN, 1, None),
    "dSPACE lab": (car((ISO2.namespace, 111, 1), (DIN.namespace, 222, 2)), ISO2, 111, ISO2),
    "RISE": (car((ISO2.namespace, 10, 1)), ISO2, 10, ISO2),
    "Kona, EQC": (car((DIN.namespace, 1, 1)), DIN, 1, None),
}


@pytest.mark.parametrize(("asked", "both", "schema_id", "one"), REAL.values(), ids=REAL.keys())
def test_real_offers(asked: SupportedAppProtocolReq, both: Protocol, schema_id: int, one: Protocol | None) -> None:
    answer, chosen = choose(asked, [DIN, ISO2])
    assert chosen == both
    assert (answer.ResponseCode, answer.SchemaID) == (ResponseCode.OK_SuccessfulNegotiation, schema_id)
    answer, chosen = choose(asked, [ISO2])
    assert chosen == one
    if one is None:
        assert (answer.ResponseCode, answer.SchemaID) == (ResponseCode.Failed_NoNegotiation, None)


def test_a_minor_deviation_is_told() -> None:
    answer, chosen = choose(request((ISO2.namespace, 2, 1, 7, 1)), PROTOCOLS)
    assert chosen == ISO2
    assert answer.ResponseCode is ResponseCode.OK_SuccessfulNegotiationWithMinorDeviation
    assert answer.SchemaID == 7


def test_another_major_version_does_not_match() -> None:
    answer, chosen = choose(request((ISO2.namespace, 1, 0, 7, 1)), PROTOCOLS)
    assert chosen is None
    assert answer.ResponseCode is ResponseCode.Failed_NoNegotiation


def test_the_first_of_equal_priorities_wins() -> None:
    asked = request((ISO2.namespace, 2, 0, 1, 1), (DIN.namespace, 2, 0, 2, 1))
    assert choose(asked, [DIN, ISO2])[0].SchemaID == 1


def test_the_last_of_twenty_is_found() -> None:
    others = [(f"urn:unknown:{number}", 2, 0, number, number) for number in range(1, 20)]
    asked = request(*others, (ISO2.namespace, 2, 0, 200, 20))
    codec = schema("sap")
    received = codec.decode(codec.encode(asked))
    assert isinstance(received, SupportedAppProtocolReq)
    assert choose(received, PROTOCOLS)[0].SchemaID == 200


def test_a_station_that_speaks_nothing_now_refuses() -> None:
    assert choose(offer(PROTOCOLS), [])[1] is None


def test_an_offer_is_understood() -> None:
    answer, chosen = choose(offer([DIN, ISO2]), [ISO2])
    assert chosen == ISO2
    assert answer.SchemaID == 2


@pytest.mark.parametrize("count", [0, 21])
def test_an_offer_has_one_to_twenty_entries(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} protocols"):
        offer([ISO2] * count)


@given(st.lists(st.tuples(st.sampled_from([ISO2, DIN]), st.integers(1, 20)), min_size=1, max_size=20))
def test_the_lowest_priority_number_wins(entries: list[tuple[Protocol, int]]) -> None:
    asked = car(*((protocol.namespace, number, priority) for number, (protocol, priority) in enumerate(entries)))
    answer, chosen = choose(asked, [DIN, ISO2])
    best = min(priority for _, priority in entries)
    assert answer.SchemaID is not None
    assert entries[answer.SchemaID] == (chosen, best)
    assert all(priority > best for _, priority in entries[: answer.SchemaID])


KNOWN = {
    # namespace: version, schema set by payload type
    "urn:din:70121:2012:MsgDef": ((2, 0), {0x8001: "din"}),
    "urn:iso:15118:2:2013:MsgDef": ((2, 0), {0x8001: "iso2"}),
    "urn:iso:std:iso:15118:-20:AC": ((1, 0), {0x8002: "iso20.common", 0x8003: "iso20.ac"}),
    "urn:iso:std:iso:15118:-20:DC": ((1, 0), {0x8002: "iso20.common", 0x8004: "iso20.dc"}),
    "urn:iso:std:iso:15118:-20:ACDP": ((1, 0), {0x8002: "iso20.common", 0x8005: "iso20.acdp"}),
    "urn:iso:std:iso:15118:-20:WPT": ((1, 0), {0x8002: "iso20.common", 0x8006: "iso20.wpt"}),
    "urn:iso:std:iso:15118:-20:AC-DER-IEC": ((1, 0), {0x8002: "iso20.common", 0x8010: "iso20.ac_der_iec"}),
    "urn:iso:std:iso:15118:-20:AC-DER-SAE": ((1, 0), {0x8002: "iso20.common", 0x8011: "iso20.ac_der_sae"}),
}


def test_every_protocol_has_its_public_namespace_version_and_payload_types() -> None:
    assert {
        protocol.namespace: (
            (protocol.major, protocol.minor),
            {kind: protocol.schema_of(kind) for kind in protocol.payload_types},
        )
        for protocol in PROTOCOLS
    } == KNOWN


def test_a_payload_type_of_another_protocol_has_no_schema() -> None:
    with pytest.raises(ValueError, match="payload type 0x8002 has no place in urn:iso:15118:2:2013:MsgDef"):
        ISO2.schema_of(0x8002)


def test_a_payload_type_tells_which_schemas_fit() -> None:
    assert schema_names(0x8001) == ("sap", "iso2", "din")
    assert schema_names(0x8102) == ("iso20.common",)
    assert schema_names(PayloadType.SDP_REQUEST) == schema_names(0xA000) == ()
    assert set(schema_names()) == set(SCHEMAS) - {"xmldsig"}
    assert {protocol.schema for protocol in PROTOCOLS} < set(schema_names())


def test_an_unknown_schema_set_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'iso20'; known are sap, xmldsig, din"):
        schema("iso20")


LOADED = {
    # what is asked for: the message modules that it takes
    "import v2g.protocols": {"app_protocol"},
    "from v2g.protocols import schema; schema('din').grammar": {"app_protocol", "xmldsig", "din"},
    "from v2g.protocols import schema; schema('iso20.dc').grammar": {
        "app_protocol",
        "xmldsig",
        "iso20",
        "iso20.common_types",
        "iso20.dc",
    },
}


@pytest.mark.parametrize("code", LOADED)
def test_only_the_messages_asked_for_are_loaded(code: str) -> None:
    show = "import sys; print(*(name for name in sys.modules if name.startswith('v2g.messages.')))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, timeout=60, check=True
    )
    assert {name.removeprefix("v2g.messages.") for name in done.stdout.split()} == LOADED[code]


def test_importing_protocols_pulls_in_no_cryptography() -> None:
    code = (
        "import sys; from v2g.protocols import schema; schema('iso2').grammar;"
        "print([name for name in sys.modules if name.split('.')[0] in ('cryptography', 'OpenSSL', 'ssl', 'asyncio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
