"""Amendment 1 of ISO 15118-20: AC with grid support, by IEC and by SAE, against vectors and public tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.random_messages import Messages
from tests.reference import REFERENCE, needs_reference
from v2g.errors import Undecodable
from v2g.exi.grammar import Grammar, Start
from v2g.exi.message import Message
from v2g.messages.iso20 import ac, ac_der_iec, ac_der_sae
from v2g.messages.iso20.common_types import MessageHeader, RationalNumber, ResponseCode
from v2g.protocols import schema

SETS = ("iso20.ac_der_iec", "iso20.ac_der_sae")
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ac_der.json").read_text())
HEADER = MessageHeader(SessionID=bytes(8), TimeStamp=1)


def number(value: int, exponent: int = 0) -> RationalNumber:
    """Make value times ten to the power of exponent."""
    return RationalNumber(Exponent=exponent, Value=value)


def _mode(message: Message) -> Message:
    """Tell the one mode a message carries."""
    values = [getattr(message, name) for name in message.__struct_fields__ if name.endswith("Mode")]
    [mode] = [value for value in values if isinstance(value, Message)]
    return mode


def _set_fields(plain: Any) -> Any:
    """Leave out what is not set."""
    if isinstance(plain, dict):
        return {name: _set_fields(value) for name, value in plain.items() if value not in (None, [])}
    return [_set_fields(item) for item in plain] if isinstance(plain, list) else plain


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vectors_read_as_written_down_and_are_written_back(vector: dict[str, Any]) -> None:
    codec = schema(vector["schema"])
    data = bytes.fromhex(vector["hex"])
    decoded = codec.read(data)
    assert type(decoded.message).__name__ == vector["root"]
    assert type(_mode(decoded.message)).__name__ == vector["mode"]
    assert _set_fields(msgspec.to_builtins(decoded.message)) == vector["message"]
    assert [str(note) for note in decoded.notes] == vector["notes"]
    assert (codec.encode(decoded.message) == data) is not bool(decoded.notes)


def test_the_vectors_show_every_mode_of_both_sets() -> None:
    shown = {(vector["schema"], vector["mode"]) for vector in VECTORS}
    modes = {
        (name, cls.__name__) for name in SETS for cls in schema(name).grammar.classes if cls.__name__.startswith("DER_")
    }
    assert len(modes) == 12
    assert modes <= shown


def _frames(protocol: str) -> list[bytes]:
    with gzip.open(REFERENCE / "frames" / "real-cars.jsonl.gz", "rt", encoding="utf-8") as lines:
        frames = [json.loads(line) for line in lines]
    return [bytes.fromhex(frame["exi"]) for frame in frames if frame["protocol"] == protocol]


@needs_reference
@pytest.mark.parametrize(("name", "count"), [("iso20.ac_der_iec", 14), ("iso20.ac_der_sae", 11)])
def test_every_public_frame_decodes_and_is_written_back(name: str, count: int) -> None:
    codec = schema(name)
    frames = _frames(name.replace("iso20.ac_der_", "iso20-acder-"))
    assert len(frames) == count
    for data in frames:
        decoded = codec.read(data)
        assert decoded.notes == ()
        assert codec.encode(decoded.message) == data


@needs_reference
def test_a_station_by_iec_rules_asks_for_what_its_peer_wrote() -> None:
    messages = [schema("iso20.ac_der_iec").decode(data) for data in _frames("iso20-acder-iec")]
    answers = [message for message in messages if isinstance(message, ac.AC_ChargeParameterDiscoveryRes)]
    mode = answers[1].AC_CPDResEnergyTransferMode
    assert isinstance(mode, ac_der_iec.DER_AC_CPDResEnergyTransferMode)
    assert mode.EVOperatingMode is ac_der_iec.EVOperatingMode.GridFollowing
    reactive = mode.DERControl.ReactivePowerSupport
    assert reactive is not None
    assert reactive.VoltVar is not None
    points = reactive.VoltVar.CurveDataPoints.CurveDataPoint
    assert [(point.xValue, point.yValue.SetpointValue) for point in points] == [
        (number(207), number(32, 2)),
        (number(253), number(-32, 2)),
    ]
    assert mode.DERControl.MaximumLevelDCInjection == number(500, -3)


@needs_reference
def test_a_station_by_sae_rules_changes_what_its_peer_wrote() -> None:
    messages = [schema("iso20.ac_der_sae").decode(data) for data in _frames("iso20-acder-sae")]
    answers = [message for message in messages if isinstance(message, ac.AC_ChargeLoopRes)]
    mode = answers[3].CLResControlMode
    assert isinstance(mode, ac_der_sae.DER_Dynamic_AC_CLResControlMode)
    trip = mode.DERControlCLRes.FrequencyTrip
    assert trip is not None
    assert trip.UnderFrequencyMustTripCurve.xUnit is ac_der_sae.DERUnit.Hz
    assert mode.DERControlCLRes.EnterServiceCLRes.EnterServiceFrequencyLow == number(59)
    assert mode.DepartureTime == 7200


CHOICES = {
    "AC_ChargeParameterDiscoveryReq": ["AC", "BPT_AC", "DER_AC"],
    "AC_ChargeParameterDiscoveryRes": ["AC", "BPT_AC", "DER_AC"],
    "AC_ChargeLoopReq": ["BPT_Dynamic", "BPT_Scheduled", "", "DER_Dynamic", "DER_Scheduled", "Dynamic", "Scheduled"],
    "AC_ChargeLoopRes": ["BPT_Dynamic", "BPT_Scheduled", "", "DER_Dynamic", "DER_Scheduled", "Dynamic", "Scheduled"],
}
"""What the modes' names begin with, in the order of their codes; the empty one is abstract."""


def _modes_of(grammar: Grammar, cls: type[Message]) -> list[str]:
    """Tell the modes a message takes, in the order of their codes."""
    todo = [grammar.first(cls)]
    seen = set()
    modes: list[str] = []
    while todo:
        row = todo.pop()
        if id(row) in seen:
            continue
        seen.add(id(row))
        starts = [event.name for event in row.events if isinstance(event, Start)]
        modes = modes or [name for name in starts if name.endswith("Mode")]
        todo += [row.after(code) for code, event in enumerate(row.events) if isinstance(event, Start)]
    return modes


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("message", CHOICES)
def test_modes_have_the_public_codes(name: str, message: str) -> None:
    grammar = schema(name).grammar
    cls = next(cls for cls in grammar.classes if cls.__name__ == message)
    side = message[-3:]
    ending = f"_CPD{side}EnergyTransferMode" if "Discovery" in message else f"_AC_CL{side}ControlMode"
    assert _modes_of(grammar, cls) == [
        begin + ending if begin else f"CL{side}ControlMode" for begin in CHOICES[message]
    ]


TABLES = [
    # set, document roots, fragment names of the public codec, and ours
    ("iso20.ac_der_iec", 48, 245, 259),
    ("iso20.ac_der_sae", 49, 353, 367),
]


@pytest.mark.parametrize(("name", "documents", "merged", "fragments"), TABLES)
def test_root_tables_are_the_public_ones_but_for_the_namespace_of_ac(
    name: str,
    documents: int,
    merged: int,
    fragments: int,
) -> None:
    grammar = schema(name).grammar
    own = f"urn:iso:std:iso:15118:-20:AC-DER-{name[-3:].upper()}"
    names = {(root.name, own if root.namespace == ac.NAMESPACE else root.namespace) for root in grammar.fragments}
    assert (len(grammar.documents), len(names), len(grammar.fragments)) == (documents, merged, fragments)


def test_one_name_with_two_types_needs_the_relaxed_grammar() -> None:
    relaxed = {name: [root.name for root in schema(name).grammar.fragments if len(root.types) > 1] for name in SETS}
    assert relaxed == {"iso20.ac_der_iec": ["IntentionalDelayPowerControl"], "iso20.ac_der_sae": []}


@given(st.randoms(use_true_random=True), st.sampled_from(sorted(CHOICES)), st.sampled_from(SETS))
def test_messages_of_ac_are_understood_and_parameters_keep_their_bits(random: Any, name: str, other: str) -> None:
    plain = schema("iso20.ac")
    cls = next(cls for cls in plain.grammar.classes if cls.__name__ == name)
    message = Messages(plain.grammar, random).message(cls)
    data = schema(other).encode(message)
    assert schema(other).decode(data) == message
    # The new modes of the loop sort between those of AC, so that codes and widths change.
    if "Discovery" in name:
        assert data == plain.encode(message)


def _iec_answer(**control: Any) -> ac.AC_ChargeParameterDiscoveryRes:
    """Make an answer whose station asks for these control functions."""
    return ac.AC_ChargeParameterDiscoveryRes(
        Header=HEADER,
        ResponseCode=ResponseCode.OK,
        AC_CPDResEnergyTransferMode=ac_der_iec.DER_AC_CPDResEnergyTransferMode(
            EVSEMaximumChargePower=number(11, 3),
            EVSEMinimumChargePower=number(0),
            EVSENominalFrequency=number(50),
            EVSENominalChargePower=number(11, 3),
            EVSENominalDischargePower=number(11, 3),
            EVSEMaximumDischargePower=number(11, 3),
            EVOperatingMode=ac_der_iec.EVOperatingMode.GridFollowing,
            GridConnectionMode=ac_der_iec.GridConnectionMode.GridConnected,
            DERControl=ac_der_iec.DERControl(**control),
        ),
    )


def _curve(points: int) -> ac_der_iec.DERCurve:
    """Make a curve of so many points."""
    point = ac_der_iec.DataTuple(xValue=number(1), yValue=ac_der_iec.SetpointExcitation(SetpointValue=number(2)))
    return ac_der_iec.DERCurve(
        xUnit=ac_der_iec.CurveDataPointsUnit.V,
        yUnit=ac_der_iec.CurveDataPointsUnit.var,
        CurveDataPoints=ac_der_iec.CurveDataPointsList(CurveDataPoint=[point] * points),
        PT1ResponseReactivePower=False,
        StepResponseTimeConstantReactivePower=number(1),
    )


def test_exactly_one_reactive_power_curve_is_sent() -> None:
    codec = schema("iso20.ac_der_iec")
    support = ac_der_iec.ReactivePowerSupport
    assert codec.encode(_iec_answer(ReactivePowerSupport=support(WattVar=_curve(2))))
    for none_or_two in (support(), support(VoltVar=_curve(2), WattCosPhi=_curve(2))):
        with pytest.raises(ValueError, match="ReactivePowerSupport"):
            codec.encode(_iec_answer(ReactivePowerSupport=none_or_two))


@pytest.mark.parametrize(("points", "good"), [(1, False), (2, True), (10, True), (11, False)])
def test_a_curve_has_two_to_ten_points(points: int, good: bool) -> None:
    codec = schema("iso20.ac_der_iec")
    message = _iec_answer(ReactivePowerSupport=ac_der_iec.ReactivePowerSupport(VoltVar=_curve(points)))
    if good:
        assert codec.decode(codec.encode(message)) == message
        return
    with pytest.raises(ValueError, match="CurveDataPoint"):
        codec.encode(message)


def test_plain_ac_does_not_take_these_modes() -> None:
    data = bytes.fromhex(next(vector["hex"] for vector in VECTORS if vector["mode"].startswith("DER_")))
    with pytest.raises(Undecodable, match="AC_ChargeParameterDiscoveryReq"):
        schema("iso20.ac").decode(data)
    with pytest.raises(ValueError, match=r"ac_der_iec.*is of another schema set"):
        schema("iso20.ac").encode(_iec_answer())
