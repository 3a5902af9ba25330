"""Our vehicle against a scripted station: what it says, when it gives up, and that it leaves the plug safe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from evcc import config, iso2, wallet
from evcc.trip import Declined, StationFault, Trip
from evcc.vehicle import Vehicle
from tests.evcc.bench_station import (
    FINISHED,
    OK,
    ONGOING,
    SESSION,
    Answer,
    Script,
    ScriptedStation,
    V,
    ac_parameter,
    ac_status,
    charging,
    dc_parameter,
    dc_status,
    demand,
    discovery,
    packed,
    parameters,
    schedule,
    scripted,
    usual,
    value,
)
from v2g.dialect import Dialect
from v2g.errors import PeerGone, Refused, Silence, Undecodable, V2GError
from v2g.iso2 import ISO2
from v2g.journal import Journal
from v2g.link import EvccLink
from v2g.messages import iso2 as messages
from v2g.messages.iso2 import ChargeProgress, EVSEProcessing, ResponseCode
from v2g.protocols import schema as exi
from v2g.signature import verify
from v2g.stream import Stream, TcpStream
from v2g.timing import Timing

Energy = Literal["AC", "DC"]


@dataclass
class Plug:
    """Keeps what the vehicle does at the plug, among the requests the station saw."""

    station: ScriptedStation
    done: list[tuple[str, Any]] = field(default_factory=list)
    dead: bool = False

    async def plug(self) -> None:
        self._note("plug", True)

    def pilot(self, state: str) -> None:
        self._note("pilot", state)

    def contactor(self, state: str) -> None:
        self._note("contactor", state)

    def draw(self, current_a: float) -> None:
        self._note("draw", current_a)

    def battery(self, voltage_v: float) -> None:
        self._note("battery", voltage_v)

    async def wake(self) -> None:
        self._note("wake", True)

    async def called(self) -> None:
        await asyncio.Event().wait()

    async def failed(self) -> str:
        await asyncio.Event().wait()
        return ""

    async def leave(self) -> None:
        self._note("leave", True)

    async def unplug(self) -> None:
        self._note("plug", False)

    def _note(self, what: str, how: Any) -> None:
        if self.station.requests and (not self.done or self.done[-1] != ("request", len(self.station.requests))):
            self.done.append(("request", len(self.station.requests)))
        self.done.append((what, how))

    def last(self, what: str) -> Any:
        begins = {"contactor": "open", "pilot": "B", "draw": 0.0}
        return [begins.get(what), *(how for each, how in self.done if each == what)][-1]

    def assert_safe(self) -> None:
        assert (self.last("contactor"), self.last("pilot"), self.last("draw")) == ("open", "B", 0.0)


def settings(energy: Energy, **plan: Any) -> config.EvccConfig:
    planned: dict[str, Any] = {"charge_s": 0.05, "loop_s": 0.001, "poll_s": 0.001, "payment": "external"} | plan
    return config.EvccConfig(plan=config.Plan(energy="ac3" if energy == "AC" else "dc", **planned))


@dataclass
class Drive:
    """One session of our vehicle: how it ended, and what happened at the plug."""

    plug: Plug
    trip: Trip
    error: V2GError | None = None


async def drive(
    station: ScriptedStation,
    energy: Energy,
    *,
    timing: Timing | None = None,
    contract: wallet.Contract | None = None,
    **plan: Any,
) -> Drive:
    """Drive a session against the station to its end; the plug must be safe then."""
    stream = TcpStream(*await asyncio.open_connection("::1", station.port))
    return await drive_on(stream, station, energy, timing=timing, contract=contract, **plan)


async def drive_on(
    stream: Stream,
    station: ScriptedStation,
    energy: Energy,
    *,
    timing: Timing | None = None,
    contract: wallet.Contract | None = None,
    speaks: tuple[Dialect, Callable[[EvccLink, Trip], Awaitable[None]]] = (ISO2, iso2.drive),
    **plan: Any,
) -> Drive:
    """The same on a connection that stands, in any standard."""
    dialect, session = speaks
    plug = Plug(station)
    trip = Trip(vehicle=Vehicle(settings(energy, **plan)), cable=plug, contract=contract)
    link = EvccLink(stream, Journal(), timing or Timing(timeouts={"CurrentDemandReq": 2.0}))
    result = Drive(plug, trip)
    try:
        await link.negotiate([dialect])
        await session(link, trip)
    except V2GError as error:
        result.error = error
    finally:
        await link.close()
    plug.assert_safe()
    return result


IDENTIFY = ["SessionSetup", "ServiceDiscovery", "PaymentServiceSelection", "Authorization", "ChargeParameterDiscovery"]


def last_request(done: Drive, what: str, how: str) -> Any:
    """The newest request when this was done at the plug for the first time."""
    before = done.plug.done[: done.plug.done.index((what, how))]
    return done.plug.station.requests[max(number for kind, number in before if kind == "request") - 1]


async def test_ac() -> None:
    async with scripted("AC") as station:
        done = await drive(station, "AC")
        assert done.error is None
        assert station.names == [*IDENTIFY, "PowerDelivery", "ChargingStatus", "PowerDelivery", "SessionStop"]
        assert done.trip.vehicle.energy_wh > 0
        assert max(how for what, how in done.plug.done if what == "draw") == 16.0
        start, *_, end = [each for each in station.requests if isinstance(each, messages.PowerDeliveryReq)]
        assert (start.ChargeProgress, end.ChargeProgress) == (ChargeProgress.Start, ChargeProgress.Stop)
        assert {header.SessionID for header in station.headers[1:]} == {SESSION}
        assert station.headers[0].SessionID in (b"\0", bytes(8))
        # B before or with the stop, C before or with the start
        stop = station.requests.index(end) + 1
        assert done.plug.done.index(("pilot", "B")) < done.plug.done.index(("request", stop + 1))
        # closed on the station's word, open before the stop
        assert last_request(done, "contactor", "closed") is start
        assert isinstance(last_request(done, "contactor", "open"), messages.ChargingStatusReq)


async def test_dc() -> None:
    async with scripted("DC") as station:
        done = await drive(station, "DC")
        assert done.error is None
        assert station.names == [
            *IDENTIFY, "CableCheck", "PreCharge", "PowerDelivery", "CurrentDemand", "PowerDelivery",
            "WeldingDetection", "SessionStop",
        ]  # fmt: skip
        actions = [each for each in done.plug.done if each[0] in ("pilot", "contactor")]
        assert actions[:2] == [("pilot", "C"), ("contactor", "closed")]
        assert actions[2:4] == [("contactor", "open"), ("pilot", "B")]
        start, end = [each for each in station.requests if isinstance(each, messages.PowerDeliveryReq)]
        assert isinstance(last_request(done, "pilot", "C"), messages.ChargeParameterDiscoveryReq)
        assert isinstance(last_request(done, "contactor", "closed"), messages.PreChargeReq)
        assert (start.ChargeProgress, end.ChargeProgress) == (ChargeProgress.Start, ChargeProgress.Stop)
        assert last_request(done, "contactor", "open") is end


async def test_a_contract_stays_at_home_where_there_is_no_tls(certificates: Path) -> None:
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = wallet.load(config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem")))
    async with scripted("AC") as station:
        done = await drive(station, "AC", contract=contract, payment="contract", accept_external=True)
        assert done.error is None
        assert done.trip.payment == "external"
        assert "PaymentDetails" not in station.names


async def test_a_contract_that_does_not_pay_signs_no_receipt(certificates: Path) -> None:
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = wallet.load(config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem")))
    reading = messages.MeterInfo(MeterID="M1", MeterReading=1)
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda *_: msgspec.structs.replace(
            charging(), ReceiptRequired=True, MeterInfo=reading
        )
        done = await drive(station, "AC", contract=contract, payment="contract", accept_external=True)
        assert isinstance(done.error, Declined)
        assert "MeteringReceipt" not in station.names


def test_the_signed_request(certificates: Path) -> None:
    leaf = certificates / "leaf" / "contract" / "car1"
    contract = wallet.load(config.Contract(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem")))
    request, signature = contract.authorize(bytes(range(16)))
    assert (request.Id, request.GenChallenge) == ("id1", bytes(range(16)))
    verify(signature, {"id1": exi("iso2").fragment_forms(request)}, contract.key.public_key(), "iso2")
    details = contract.details()
    assert details.eMAID == "DEPCGC00000001V"
    chain = details.ContractSignatureCertChain
    assert chain.SubCertificates is not None
    assert (chain.Certificate, len(chain.SubCertificates.Certificate)) == (contract.chain[0], 2)


# --- it follows the station -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_wish_to_stop(energy: Energy) -> None:
    async with scripted(energy) as station:
        station.answers["ChargingStatus"] = lambda _, turn: charging(ac_status("StopCharging" if turn == 3 else "None"))
        station.answers["CurrentDemand"] = lambda _, turn: demand(
            dc_status(notification="StopCharging" if turn == 3 else "None")
        )
        done = await drive(station, energy, charge_s=30)
        assert done.error is None
        assert done.trip.ended_by == "station"
        assert station.names[-1] == "SessionStop"
        loop = {"AC": messages.ChargingStatusReq, "DC": messages.CurrentDemandReq}[energy]
        assert sum(isinstance(each, loop) for each in station.requests) == 4


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_wish_to_renegotiate(energy: Energy) -> None:
    async with scripted(energy) as station:
        station.answers["ChargingStatus"] = lambda _, turn: charging(
            ac_status("ReNegotiation" if turn == 1 else "None")
        )
        station.answers["CurrentDemand"] = lambda _, turn: demand(
            dc_status(notification="ReNegotiation" if turn == 1 else "None")
        )
        done = await drive(station, energy)
        assert done.error is None
        assert station.names.count("ChargeParameterDiscovery") == 2
        progress = [each.ChargeProgress for each in station.requests if isinstance(each, messages.PowerDeliveryReq)]
        assert progress == ["Start", "Renegotiate", "Start", "Stop"]
        assert station.names.count("CableCheck") == (2 if energy == "DC" else 0)


async def test_a_shutdown_is_a_wish_to_stop() -> None:
    async with scripted("DC") as station:
        station.answers["CurrentDemand"] = lambda _, turn: demand(dc_status("EVSE_Shutdown" if turn else "EVSE_Ready"))
        done = await drive(station, "DC", charge_s=30)
        assert done.error is None
        assert done.trip.ended_by == "station"
        assert station.names[-2:] == ["WeldingDetection", "SessionStop"]


async def test_a_tripped_rcd_ends_the_charge() -> None:
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda _, turn: charging(ac_status(rcd=turn > 0))
        done = await drive(station, "AC", charge_s=30)
        assert done.trip.ended_by == "station"
        assert station.names[-1] == "SessionStop"


async def test_current_follows_the_station_down_and_up() -> None:
    most = [32, 10, 5, 12]
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda _, turn: charging(most=most[min(turn, 3)])
        done = await drive(station, "AC", charge_s=0.1)
        drawn = [how for what, how in done.plug.done if what == "draw"]
        assert drawn[:4] == [16, 10, 0, 12]


async def test_the_profile_keeps_to_every_step_of_the_schedule() -> None:
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(
            ac_parameter(), schedule((0, 11), (600, 4.1), (1_200, 22))
        )
        await drive(station, "AC")
        start = next(each for each in station.requests if isinstance(each, messages.PowerDeliveryReq))
        assert start.ChargingProfile is not None
        entries = [
            (each.ChargingProfileEntryStart, each.ChargingProfileEntryMaxPower)
            for each in start.ChargingProfile.ProfileEntry
        ]
        watts = [(at, most.Value * 10**most.Multiplier) for at, most in entries]
        assert watts == [(0, 11_000), (600, 4_100), (1_200, 11_040)]


async def test_a_long_schedule_still_makes_a_profile_that_fits() -> None:
    """A profile has 24 entries at the most, a schedule 1024."""
    steps = [(60 * place, 10.0 - place / 5) for place in range(40)]
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(ac_parameter(), schedule(*steps))
        done = await drive(station, "AC")
        assert done.error is None
        start = next(each for each in station.requests if isinstance(each, messages.PowerDeliveryReq))
        assert start.ChargingProfile is not None
        entries = start.ChargingProfile.ProfileEntry
        assert len(entries) == 24
        last = entries[-1].ChargingProfileEntryMaxPower
        assert last.Value * 10**last.Multiplier <= (10 - 39 / 5) * 1_000


async def test_steps_in_force_bound_the_current() -> None:
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(ac_parameter(), schedule((0, 6.9), (1, 50)))
        done = await drive(station, "AC", charge_s=0.05)
        assert max(how for what, how in done.plug.done if what == "draw") == pytest.approx(10, abs=0.01)


# --- payment --------------------------------------------------------------------------------------------------------


async def test_a_station_that_offers_contracts_only() -> None:
    async with scripted("AC") as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("Contract")
        done = await drive(station, "AC")
        assert isinstance(done.error, Declined)
        assert "no payment but Contract" in str(done.error)
        assert done.trip.payment is None
        assert station.names == ["SessionSetup", "ServiceDiscovery", "SessionStop"]


@pytest.mark.parametrize("answer", [None, messages.SessionStopRes(ResponseCode=ResponseCode.FAILED)])
async def test_whatever_it_hears_to_its_farewell_the_car_says_why_it_went(answer: Answer) -> None:
    async with scripted("AC") as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("Contract")
        station.answers["SessionStop"] = lambda *_: answer
        done = await drive(station, "AC", timing=Timing(timeouts={"SessionStopReq": SILENCE_S}))
        assert isinstance(done.error, Declined)


# --- what ends it ---------------------------------------------------------------------------------------------------

SILENCE_S = 0.1
STEPS = {
    "AC": ["SessionSetup", "ServiceDiscovery", "PaymentServiceSelection", "Authorization", "ChargeParameterDiscovery",
           "PowerDelivery", "ChargingStatus", "SessionStop"],
    "DC": ["ChargeParameterDiscovery", "CableCheck", "PreCharge", "PowerDelivery", "CurrentDemand",
           "WeldingDetection", "SessionStop"],
}  # fmt: skip
EVERY_STEP = [(energy, step) for energy, steps in STEPS.items() for step in steps]


async def fails(energy: Energy, step: str, answer: Callable[[Script], Script]) -> Drive:
    """Exchange the answer to one step; the session must end there."""
    async with scripted(energy) as station:
        station.answers[step] = answer(station.answers[step])
        async with asyncio.timeout(5):
            done = await drive(station, energy, timing=Timing(timeouts={f"{step}Req": SILENCE_S}))
        assert done.error is not None, "the session went on"
        assert station.names[-1] == step, "the vehicle went on"
        async with asyncio.timeout(1):
            await station.left.wait()
        return done


def instead(answer: Answer) -> Callable[[Script], Script]:
    return lambda _: lambda *_: answer


@pytest.mark.parametrize(("energy", "step"), EVERY_STEP)
async def test_silence(energy: Energy, step: str) -> None:
    began = time.monotonic()
    done = await fails(energy, step, instead(None))
    assert isinstance(done.error, Silence)
    assert done.error.timer == f"V2G_EVCC_Msg_Timeout({step}Req)"
    assert SILENCE_S <= time.monotonic() - began < SILENCE_S + 1


@pytest.mark.parametrize(("energy", "step"), EVERY_STEP)
async def test_another_response(energy: Energy, step: str) -> None:
    """[V2G2-482]: the session ends, without a message."""
    other = messages.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=ac_status())
    done = await fails(energy, step, instead(other))
    assert isinstance(done.error, Undecodable)
    assert f"MeteringReceiptRes came in answer to {step}Req" in str(done.error)


@pytest.mark.parametrize(("energy", "step"), EVERY_STEP)
async def test_a_request_in_answer(energy: Energy, step: str) -> None:
    done = await fails(energy, step, instead(messages.ChargingStatusReq()))
    assert isinstance(done.error, Undecodable)


@pytest.mark.parametrize(("energy", "step"), [each for each in EVERY_STEP if each[1] != "SessionSetup"])
@pytest.mark.parametrize("session_id", [bytes(8), b"", b"\x08" * 8])
async def test_another_session_id(energy: Energy, step: str, session_id: bytes) -> None:
    """[V2G2-751]"""

    def foreign(usual_answer: Script) -> Script:
        def script(request: Any, turn: int) -> Answer:
            body = usual_answer(request, turn)
            assert isinstance(body, messages.BodyElement)
            return packed(body, session_id)

        return script

    done = await fails(energy, step, foreign)
    assert isinstance(done.error, Undecodable)
    assert "session id" in str(done.error)


@pytest.mark.parametrize(("energy", "step"), EVERY_STEP)
@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "FAILED_UnknownSession"])
async def test_a_failure(energy: Energy, step: str, code: str) -> None:
    def failing(usual_answer: Script) -> Script:
        def script(request: Any, turn: int) -> Answer:
            body: Any = usual_answer(request, turn)
            failed: messages.BodyElement = msgspec.structs.replace(body, ResponseCode=ResponseCode(code))
            return failed

        return script

    done = await fails(energy, step, failing)
    assert isinstance(done.error, Refused)
    assert done.error.code == code
    if step in ("ChargingStatus", "CurrentDemand"):
        done.plug.assert_safe()


@pytest.mark.parametrize(
    ("energy", "step"), [("AC", "ChargingStatus"), ("DC", "CurrentDemand"), ("AC", "SessionSetup")]
)
@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x01\xfe\x80\x01\xff\xff\xff\xff", b"\x01\xfe\x80\x01\0\0\0\x03\xff\xff\xff"]
)
async def test_garbage(energy: Energy, step: str, data: bytes) -> None:
    done = await fails(energy, step, instead(data))
    assert isinstance(done.error, Undecodable)


async def test_a_session_without_id() -> None:
    """A station that gives no id gives none to insist on; zero is no id."""
    for session_id in (b"", bytes(8)):
        async with scripted("AC") as station:
            setup = usual("AC")["SessionSetup"](None, 0)
            assert isinstance(setup, messages.BodyElement)
            station.answers["SessionSetup"] = lambda *_, body=setup, own=session_id: packed(body, own)
            done = await drive(station, "AC")
            assert isinstance(done.error, Undecodable)
            assert "session id" in str(done.error)


async def test_a_station_that_leaves_in_the_loop() -> None:
    async with scripted("AC") as station:

        def leave(*_: object) -> Answer:
            raise ConnectionResetError

        station.answers["ChargingStatus"] = leave
        done = await drive(station, "AC", charge_s=30)
        assert isinstance(done.error, PeerGone)


def ongoing(kind: EVSEProcessing) -> Script:
    return lambda *_: messages.AuthorizationRes(ResponseCode=OK, EVSEProcessing=kind)


FOR_EVER: list[tuple[Energy, str, Script, float, str]] = [
    ("AC", "Authorization", ongoing(ONGOING), 60, "V2G_EVCC_Ongoing_Timeout"),
    (
        "AC", "Authorization", ongoing(EVSEProcessing.Ongoing_WaitingForCustomerInteraction),
        180, "V2G_EVCC_Ongoing_Timeout",
    ),
    (
        "AC", "ChargeParameterDiscovery", lambda *_: parameters(ac_parameter(), None, ONGOING),
        60, "V2G_EVCC_Ongoing_Timeout",
    ),
    (
        "DC", "CableCheck",
        lambda *_: messages.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEProcessing=ONGOING),
        40, "V2G_EVCC_CableCheck_Timeout",
    ),
    (
        "DC", "PreCharge",
        lambda *_: messages.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEPresentVoltage=value(100, V)),
        7, "V2G_EVCC_PreCharge_Timeout",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("energy", "step", "script", "seconds", "timer"), FOR_EVER)
async def test_ongoing_for_ever(energy: Energy, step: str, script: Script, seconds: float, timer: str) -> None:
    scale = 0.3 / seconds  # for the budgets; single messages get a second each
    timing = Timing(scale, timeouts={f"{each}Req": 1 / scale for each in ("SupportedAppProtocol", *usual(energy))})
    async with scripted(energy) as station:
        station.answers[step] = script
        began = time.monotonic()
        done = await drive(station, energy, timing=timing, poll_s=0.002)
        assert isinstance(done.error, Silence)
        assert done.error.timer == timer
        assert 0.25 < time.monotonic() - began < 1.5
        assert station.names[-1] == step


OFFERS: list[tuple[Energy, messages.ChargeParameterDiscoveryRes]] = [
    ("AC", parameters(ac_parameter(), None)),
    ("DC", parameters(dc_parameter(), None)),
    ("AC", parameters(dc_parameter(), schedule((0, 50)))),
    ("DC", parameters(ac_parameter(), schedule((0, 50)))),
    ("AC", parameters(ac_parameter(nominal=0), schedule((0, 50)))),
    ("AC", parameters(ac_parameter(nominal=-230), schedule((0, 50)))),
]


@pytest.mark.parametrize(("energy", "offer"), OFFERS)
async def test_an_offer_that_is_none(energy: Energy, offer: messages.ChargeParameterDiscoveryRes) -> None:
    done = await fails(energy, "ChargeParameterDiscovery", instead(offer))
    assert isinstance(done.error, Refused)


@pytest.mark.parametrize("status", ["EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent"])
async def test_a_fault_in_the_loop(status: str) -> None:
    async with scripted("DC") as station:
        station.answers["CurrentDemand"] = lambda _, turn: demand(dc_status(status if turn == 2 else "EVSE_Ready"))
        done = await drive(station, "DC", charge_s=30)
        assert done.error is not None
        assert status in str(done.error)
        place = done.plug.done.index(("contactor", "closed"))
        assert ("contactor", "open") in done.plug.done[place:]


@pytest.mark.parametrize(
    ("isolation", "status"),
    [("Fault", "EVSE_Ready"), ("Invalid", "EVSE_Ready"), ("Valid", "EVSE_Malfunction"), ("Valid", "EVSE_NotReady")],
)
async def test_a_cable_check_that_is_not_passed(isolation: str, status: str) -> None:
    answer = messages.CableCheckRes(
        ResponseCode=OK, DC_EVSEStatus=dc_status(status, isolation=isolation), EVSEProcessing=FINISHED
    )
    async with scripted("DC") as station:
        station.answers["CableCheck"] = lambda *_: answer
        done = await drive(station, "DC")
    assert isinstance(done.error, StationFault)
    assert done.trip.ended_by == "station"
    assert station.names[-2:] == ["CableCheck", "SessionStop"]
    assert ("contactor", "closed") not in done.plug.done


async def test_no_contactor_before_the_voltage_is_there() -> None:
    async with scripted("DC") as station:
        station.answers["PreCharge"] = lambda request, turn: messages.PreChargeRes(
            ResponseCode=OK,
            DC_EVSEStatus=dc_status(),
            EVSEPresentVoltage=request.EVTargetVoltage if turn == 3 else value(349, V),
        )
        done = await drive(station, "DC")
        assert done.error is None
        closed = done.plug.done.index(("contactor", "closed"))
        counted = [how for what, how in done.plug.done[:closed] if what == "request"]
        assert counted[-1] == len(IDENTIFY) + 1 + 4


async def test_welding_detection_is_repeated_until_the_voltage_is_gone() -> None:
    async with scripted("DC") as station:
        volts = [300, 100, 59]
        station.answers["WeldingDetection"] = lambda _, turn: messages.WeldingDetectionRes(
            ResponseCode=OK, DC_EVSEStatus=dc_status("EVSE_Shutdown"), EVSEPresentVoltage=value(volts[turn], V)
        )
        done = await drive(station, "DC")
        assert done.error is None
        assert sum(isinstance(each, messages.WeldingDetectionReq) for each in station.requests) == 3


async def test_strange_numbers_of_a_station_end_nothing() -> None:
    async with scripted("DC") as station:
        station.answers["CurrentDemand"] = lambda *_: demand(volts=-3_000, amperes=3_000)
        done = await drive(station, "DC")
        assert done.error is None
        assert done.trip.vehicle.energy_wh == 0


def offering(*modes: str) -> Script:
    usual_one = discovery("ExternalPayment")
    offered = messages.SupportedEnergyTransferMode(
        EnergyTransferMode=[messages.EnergyTransferMode(mode) for mode in modes]
    )
    service = msgspec.structs.replace(usual_one.ChargeService, SupportedEnergyTransferMode=offered)
    return lambda *_: msgspec.structs.replace(usual_one, ChargeService=service)


MISFITS: list[tuple[Energy, list[str]]] = [
    ("AC", ["DC_extended"]),
    ("AC", ["AC_single_phase_core", "DC_core"]),
    ("DC", ["AC_single_phase_core", "AC_three_phase_core"]),
]


@pytest.mark.parametrize(("energy", "modes"), MISFITS)
async def test_a_station_without_the_mode_planned(energy: Energy, modes: list[str]) -> None:
    async with scripted(energy) as station:
        station.answers["ServiceDiscovery"] = offering(*modes)
        done = await drive(station, energy)
        assert isinstance(done.error, Declined)
        assert str(done.error).endswith(f"only {', '.join(modes)}")
        assert station.names == ["SessionSetup", "ServiceDiscovery", "SessionStop"]


@pytest.mark.parametrize("mode", ["DC_core", "DC_extended", "DC_combo_core", "DC_unique"])
async def test_any_dc_will_do(mode: str) -> None:
    async with scripted("DC") as station:
        station.answers["ServiceDiscovery"] = offering(mode)
        assert (await drive(station, "DC")).error is None
