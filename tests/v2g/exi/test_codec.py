"""The codec against vectors; what it refuses, and how it says so."""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.messages import SAMPLES
from tests.random_messages import Messages
from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk
from v2g.messages import app_protocol, din, iso2, xmldsig
from v2g.protocols import schema
from v2g.v2gtp import LIMIT

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "exi.json").read_text())
NEVER_WRITTEN = {Quirk.SPARE, Quirk.EMPTY, Quirk.TABLE}


def envelope(body: iso2.BodyElement | None, session: bytes = b"\x01") -> iso2.V2G_Message:
    """Put a message into its envelope."""
    return iso2.V2G_Message(Header=iso2.MessageHeader(SessionID=session), Body=iso2.Body(BodyElement=body))


def _read(vector: dict[str, Any]) -> Decoded:
    codec = schema(vector["schema"])
    data = bytes.fromhex(vector["hex"])
    return codec.read(data) if vector["stream"] == "document" else codec.read_fragment(data)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vectors_read_as_written_down(vector: dict[str, Any]) -> None:
    decoded = _read(vector)
    assert type(decoded.message).__name__ == vector["root"]
    assert msgspec.to_builtins(decoded.message) == vector["message"]
    assert [str(note) for note in decoded.notes] == vector["notes"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vectors_are_written_back(vector: dict[str, Any]) -> None:
    decoded = _read(vector)
    codec = schema(vector["schema"])
    quirks = {note.quirk for note in decoded.notes}
    if vector["stream"] == "fragment":
        assert (bytes.fromhex(vector["hex"]) in codec.fragment_forms(decoded.message)) is not bool(
            quirks & NEVER_WRITTEN
        )
    else:
        ours = codec.encode(decoded.message, strict=False).hex() == vector["hex"]
        assert ours is not bool(quirks & {*NEVER_WRITTEN, Quirk.FULL_LIST})


@given(st.randoms(use_true_random=True))
def test_fragments_come_back(random: Any) -> None:
    codec = schema("iso2")
    classes = [kind for kind in codec.grammar.classes if issubclass(kind, iso2.BodyElement) and not kind.group]
    message = Messages(codec.grammar, random).message(random.choice(classes))
    data = codec.encode_fragment(message)
    assert codec.decode_fragment(data) == message
    assert next(iter(codec.fragment_forms(message))) == data


@pytest.mark.parametrize("size", [1023, 1024])
def test_long_lists_come_back(size: int) -> None:
    unit = iso2.PhysicalValue(Multiplier=3, Unit=iso2.UnitSymbol.W, Value=11)
    entries = [
        iso2.PMaxScheduleEntry(TimeInterval=iso2.RelativeTimeInterval(start=900 * number), PMax=unit)
        for number in range(size)
    ]
    pmax = iso2.PMaxSchedule(PMaxScheduleEntry=entries)
    data = schema("iso2").encode_fragment(pmax)
    decoded = schema("iso2").read_fragment(data)
    assert decoded == Decoded(message=pmax)
    forms = schema("iso2").fragment_forms(pmax)
    assert len(forms) == (2 if size == 1024 else 1)
    assert all(schema("iso2").decode_fragment(form) == pmax for form in forms)


def test_one_item_more_than_a_list_holds_is_refused() -> None:
    options = [iso2.PaymentOption.Contract] * 3
    with pytest.raises(ValueError, match=r"^PaymentOptionList.*PaymentOption"):
        schema("iso2").encode_fragment(iso2.PaymentOptionList(PaymentOption=options))


DC_STATUS = iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode.NO_ERROR, EVRESSSOC=50)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"EVRESSSOC": 101}, "V2G_Message/Body/CableCheckReq/DC_EVStatus/EVRESSSOC: 101"),
        ({"EVRESSSOC": -1}, "EVRESSSOC: -1"),
        ({"EVRESSSOC": 1.5}, "EVRESSSOC: 1.5"),
        ({"EVReady": None}, "DC_EVStatus: EVReady is missing"),
        ({"EVReady": "yes"}, "EVReady: 'yes'"),
        ({"EVErrorCode": "no such error"}, "EVErrorCode: 'no such error'"),
        ({"EVErrorCode": iso2.ResponseCode.FAILED}, "EVErrorCode: .*FAILED"),
    ],
)
def test_values_that_cannot_be_sent_are_named(change: dict[str, Any], path: str) -> None:
    status = msgspec.structs.replace(DC_STATUS, **change)
    with pytest.raises(ValueError, match=path):
        schema("iso2").encode(envelope(iso2.CableCheckReq(DC_EVStatus=status)))


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.floats(),
    st.text(max_size=50),
    st.binary(max_size=50),
    st.just("x" * 4097),
    st.just(b"x" * 16385),
    st.just([]),
)


@given(st.randoms(use_true_random=True), STRANGE)
def test_a_strange_value_anywhere_is_refused_or_comes_back(random: Any, strange: Any) -> None:
    codec = schema("iso2")
    classes = [kind for kind in codec.grammar.classes if issubclass(kind, iso2.Part) and kind.__struct_fields__]
    cls = random.choice([kind for kind in classes if not kind.group])
    message = Messages(codec.grammar, random).message(cls)
    field = random.choice(cls.__struct_fields__)
    changed = msgspec.structs.replace(message, **{field: strange})
    code = next(code for code, root in enumerate(codec.grammar.fragments) if cls in root.types)
    name = codec.grammar.fragments[code].name
    try:
        data = codec.encode_fragment(changed, name)
    except ValueError as error:
        refused = str(error)
        assert refused.startswith(name)
        return
    assert codec.decode_fragment(data) == changed


def test_other_things_that_cannot_be_sent_are_named() -> None:
    codec = schema("iso2")
    with pytest.raises(ValueError, match=r"SessionID: length 9"):
        codec.encode(envelope(None, b"123456789"))
    with pytest.raises(ValueError, match=r"is abstract|BodyElement"):
        codec.encode(envelope(iso2.BodyElement()))
    with pytest.raises(ValueError, match=r"EVSEID: half a character"):
        codec.encode(envelope(iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="\ud800" * 7)))
    with pytest.raises(ValueError, match=r"Parameter: no place for shortValue"):
        codec.encode_fragment(iso2.Parameter(Name="two", boolValue=True, shortValue=1))
    with pytest.raises(ValueError, match=r"AppProtocol is no root element of iso2"):
        codec.encode(
            app_protocol.AppProtocol(
                ProtocolNamespace="", VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1
            )
        )
    with pytest.raises(ValueError, match=r"KeyInfo"):
        codec.encode_fragment(xmldsig.KeyInfo())


VALUE = iso2.PhysicalValue(Multiplier=0, Unit=iso2.UnitSymbol.V, Value=1)
STATUS = iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode.NO_ERROR, EVRESSSOC=5)
PRECHARGE = iso2.PreChargeReq(DC_EVStatus=STATUS, EVTargetVoltage=VALUE, EVTargetCurrent=VALUE)


def selection(*numbers: int) -> iso2.PaymentServiceSelectionReq:
    services = iso2.SelectedServiceList(SelectedService=[iso2.SelectedService(ServiceID=each) for each in numbers])
    return iso2.PaymentServiceSelectionReq(
        SelectedPaymentOption=iso2.PaymentOption.Contract, SelectedServiceList=services
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (PRECHARGE, "V2G_Message: PreChargeReq is no Body; wrap it in Body(BodyElement=...)"),
        (
            {"BodyElement": din.SessionSetupReq(EVCCID=b"")},
            "Body: v2g.messages.din.SessionSetupReq is of another schema set; take v2g.messages.iso2.SessionSetupReq",
        ),
        ({"BodyElement": STATUS}, "V2G_Message/Body: DC_EVStatus is given; BodyElement takes "),
        ({"BodyElement": "x" * 999}, "AuthorizationReq: 'xxxxx"),
        ({"BodyElement": selection(1, 99_999)}, "/SelectedService[1]/ServiceID: 99999 is not within 0 to 65535"),
        ({"BodyElement": selection(*range(17))}, "SelectedService has 17 items; at most 16 are allowed"),
        ({"BodyElement": selection()}, "SelectedServiceList: SelectedService is missing"),
    ],
)
def test_what_stands_in_the_wrong_place_is_told_with_what_is_allowed(body: Any, told: str) -> None:
    header = iso2.MessageHeader(SessionID=b"")
    message: Any = iso2.V2G_Message(Header=header, Body=iso2.Body(**body) if isinstance(body, dict) else body)
    with pytest.raises(ValueError, match=re.escape(told)):
        schema("iso2").encode(message)


def test_a_text_is_no_octets_and_no_bytes() -> None:
    text: Any = "DEADBEEF"
    with pytest.raises(ValueError, match=r"EVCCID: 'DEADBEEF' are no octets; take bytes, of hex by bytes\.fromhex"):
        schema("iso2").encode(iso2.SessionSetupReq(EVCCID=text))
    for read in (schema("iso2").read, schema("iso2").read_fragment, schema("iso2").explain):
        with pytest.raises(TypeError, match=r"bytes\.fromhex"):
            read(text)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (VALUE, "PhysicalValue is no root element of iso2; put it into a message"),
        (din.SessionSetupReq(EVCCID=b""), "v2g.messages.din.SessionSetupReq is of another schema set; take v2g.m"),
        (7, "int is no root element of iso2, nor a message at all"),
    ],
)
def test_what_is_no_document_is_told(message: Any, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        schema("iso2").encode(message)


def test_a_service_list_holds_no_charge_service() -> None:
    charge = iso2.ChargeService(
        ServiceID=1,
        ServiceCategory=iso2.ServiceCategory.EVCharging,
        FreeService=True,
        SupportedEnergyTransferMode=iso2.SupportedEnergyTransferMode(
            EnergyTransferMode=[iso2.EnergyTransferMode.DC_core],
        ),
    )
    with pytest.raises(ValueError, match="ServiceList: ChargeService is given; Service takes Service"):
        schema("iso2").encode_fragment(iso2.ServiceList(Service=[charge]))


def test_a_fragment_needs_a_name_where_the_class_does_not_tell_it() -> None:
    chain = iso2.CertificateChain(Id="id1", Certificate=b"DER")
    with pytest.raises(ValueError, match="ContractSignatureCertChain, SAProvisioningCertificateChain"):
        schema("iso2").encode_fragment(chain)
    data = schema("iso2").encode_fragment(chain, "ContractSignatureCertChain")
    assert data[:2] == bytes([0x80, 33])
    assert schema("iso2").decode_fragment(data) == chain


def test_an_enumeration_may_be_told_by_its_text() -> None:
    text: Any = "FAILED_SequenceError"
    told = envelope(iso2.SessionStopRes(ResponseCode=text))
    meant = envelope(iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.FAILED_SequenceError))
    assert schema("iso2").encode(told) == schema("iso2").encode(meant)


def test_code_is_written_for_what_is_met_and_nothing_else() -> None:
    codec = Schema("iso2", (xmldsig, iso2))
    codec.decode(bytes.fromhex("809802000000000000000011d018282c3034383c00"))
    assert set(codec.library._readers) == {iso2.V2G_Message, iso2.MessageHeader, iso2.Body, iso2.SessionSetupReq}
    assert not codec.library._writers


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.loop])
def test_warming_leaves_nothing_to_write_for_a_loop(name: str) -> None:
    sample = SAMPLES[name]
    codec, message = Schema(sample.schema, schema(sample.schema)._modules), sample.make()
    codec.warm(type(message.Body.BodyElement) if hasattr(message, "Body") else type(message))
    warm = set(codec.library._readers), set(codec.library._writers)
    assert codec.decode(codec.encode(message)) == message
    assert (set(codec.library._readers), set(codec.library._writers)) == warm


def test_warming_writes_the_code_of_a_message_and_its_parts_and_nothing_else() -> None:
    codec = Schema("iso2", (xmldsig, iso2))
    codec.warm(iso2.CurrentDemandRes)
    written = set(codec.library._readers) & set(codec.library._writers)
    assert {iso2.V2G_Message, iso2.MessageHeader, iso2.Body, iso2.CurrentDemandRes, iso2.MeterInfo} <= written
    assert not written & {iso2.CurrentDemandReq, iso2.PhysicalValue, iso2.AC_EVSEStatus}


def test_warming_an_envelope_alone_writes_everything_it_may_hold() -> None:
    codec = Schema("iso2", (xmldsig, iso2))
    codec.warm(iso2.V2G_Message)
    assert set(iso2.BodyElement.__subclasses__()) <= set(codec.library._readers)


def test_a_schema_set_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="'iso3'; known are sap"):
        schema("iso3")


def test_all_messages_share_one_frozen_base() -> None:
    message = schema("iso2").decode(bytes.fromhex("809802000000000000000011d018282c3034383c00"))
    assert isinstance(message, Message)
    for field in message.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(message, field, None)


def test_more_than_a_frame_can_hold_is_refused() -> None:
    with pytest.raises(Undecodable, match=f"{LIMIT + 1} bytes"):
        schema("iso2").decode(bytes([0x80]) * (LIMIT + 1))
    with pytest.raises(Undecodable, match="root element"):
        schema("iso2").decode(b"\x80" + b"\xff" * (LIMIT - 1))


def _selection(count: int) -> din.V2G_Message:
    """A message with a list that has no bound of its own."""
    selected = din.SelectedServiceList(SelectedService=[din.SelectedService(ServiceID=1)] * count)
    body = din.ServicePaymentSelectionReq(
        SelectedPaymentOption=din.PaymentOption.ExternalPayment, SelectedServiceList=selected
    )
    return din.V2G_Message(Header=din.MessageHeader(SessionID=b"\x01"), Body=din.Body(BodyElement=body))


def test_threads_take_turns() -> None:
    """Generated code keeps its place in one stream; read and written at the same time, all is as it is alone."""
    codec = Schema("din", (xmldsig, din))
    messages = [_selection(count) for count in (1, 600, 900)]
    streams = [schema("din").encode(message) for message in messages]

    def work(turn: int) -> bool:
        which = turn % len(messages)
        return codec.encode(messages[which]) == streams[which] and codec.decode(streams[which]) == messages[which]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(200)))
    finally:
        sys.setswitchinterval(interval)
