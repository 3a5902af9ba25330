"""Pauses: how a session is left, what is kept of it, and what the vehicle says when it comes back."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcc import client, pausing
from evcc.config import EvccConfig, Plan, WantedService
from evcc.pausing import Paused
from evcc.wishes import Wishes
from tests.brokers import eventually
from tests.evcc.bench_station import (
    OK,
    SESSION,
    ScriptedStation,
    ac_parameter,
    charging,
    discovery,
    packed,
    parameters,
    scripted,
)
from tests.evcc.tariffs import offered, pmax
from tests.evcc.test_client import by_contract, served, settings
from v2g.messages import iso2
from v2g.messages.iso2 import ChargingSession, ResponseCode
from v2g.timing import Timing

OTHER = bytes.fromhex("1112131415161718")
OLD, NEW = ResponseCode.OK_OldSessionJoined, ResponseCode.OK_NewSessionEstablished
AGAIN = ["SessionSetup", "ServiceDiscovery", "PaymentServiceSelection", "Authorization", "ChargeParameterDiscovery"]


def joining(station: ScriptedStation, code: ResponseCode = OLD, session_id: bytes = SESSION) -> None:
    """Answer the second SessionSetupReq so; what follows carries that id, too."""
    answers = dict(station.answers)

    def setup(_: Any, before: int) -> bytes:
        return packed(
            iso2.SessionSetupRes(ResponseCode=code if before else NEW, EVSEID="DE*PCG*E0001"),
            session_id if before else SESSION,
        )

    def own(name: str) -> Any:
        def answer(request: Any, before: int) -> Any:
            body = answers[name](request, before)
            assert isinstance(body, iso2.BodyElement)
            return packed(body, session_id if len(asked(station, iso2.SessionSetupReq)) > 1 else SESSION)

        return answer

    station.answers |= {name: own(name) for name in answers} | {"SessionSetup": setup}


def asked(station: ScriptedStation, kind: type[Any]) -> list[Any]:
    return [each for each in station.requests if isinstance(each, kind)]


def headers(station: ScriptedStation) -> list[bytes]:
    """The session ids of the SessionSetupReqs."""
    pairs = zip(station.requests, station.headers, strict=True)
    return [header.SessionID for each, header in pairs if isinstance(each, iso2.SessionSetupReq)]


def farewells(station: ScriptedStation) -> list[ChargingSession]:
    return [each.ChargingSession for each in asked(station, iso2.SessionStopReq)]


NAP: dict[str, Any] = {"pause_after_s": 0.05, "pause_s": 0.05, "charge_s": 0.15}


# --- in one process -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_session_is_paused_and_joined_again(energy: Literal["AC", "DC"]) -> None:
    async with scripted(energy) as station:
        joining(station)
        result = await client.charge(settings(station, plan=NAP | {"energy": "ac3" if energy == "AC" else "dc"}))
    assert result.ok, result.reason
    assert headers(station) == [bytes(8), SESSION]
    assert farewells(station) == [ChargingSession.Pause, ChargingSession.Terminate]
    ending = (
        ["PowerDelivery", "SessionStop"] if energy == "AC" else ["PowerDelivery", "WeldingDetection", "SessionStop"]
    )
    first = station.names.index("SessionStop")
    assert station.names[first + 1 - len(ending) : first + 1] == ending
    assert station.names[first + 1 :][: len(AGAIN)] == AGAIN
    assert [(each.session_id, each.joined, each.ended) for each in result.sessions] == [
        (SESSION.hex(), False, "paused"),
        (SESSION.hex(), True, "stopped"),
    ]
    assert sum(each.energy_wh for each in result.sessions) == pytest.approx(result.energy_wh, abs=0.01)
    assert all(each.energy_wh > 0 for each in result.sessions)


async def test_what_is_needed_is_less_after_a_pause() -> None:
    """[V2G2-742] [V2G2-743]"""
    plan = NAP | {"departure_s": 3_600, "energy_wh": 20_000.0, "pause_s": 1.1}
    async with scripted("AC") as station:
        joining(station)
        began = time.monotonic()
        result = await client.charge(settings(station, plan=plan))
        lasted = time.monotonic() - began
    before, after = asked(station, iso2.ChargeParameterDiscoveryReq)
    amounts = [each.EVChargeParameter.EAmount for each in (before, after)]
    first, second = (each.Value * 10.0**each.Multiplier for each in amounts)
    assert (first, second) == (20_000, pytest.approx(20_000 - result.sessions[0].energy_wh, abs=1.1))
    assert before.EVChargeParameter.DepartureTime == 3_600
    assert 3_600 - lasted - 1 <= after.EVChargeParameter.DepartureTime <= 3_599
    assert msgspec.structs.replace(after, EVChargeParameter=before.EVChargeParameter) == before


async def test_the_choices_are_the_same_again(certificates: Path) -> None:
    """[V2G2-740]: payment, services with their parameter sets, and the schedule, though another stands first now."""
    service = iso2.Service(ServiceID=3, ServiceCategory=iso2.ServiceCategory.Internet, FreeService=True)
    both = [
        iso2.SAScheduleList(SAScheduleTuple=[offered(each, pmax((0, 11_000))) for each in numbers])
        for numbers in ((5, 8), (8, 5))
    ]
    number = iso2.ParameterSet(ParameterSetID=4, Parameter=[iso2.Parameter(Name="Port", intValue=443)])
    async with scripted("AC", served(certificates)) as station:
        offer = msgspec.structs.replace(
            discovery("Contract", "ExternalPayment"), ServiceList=iso2.ServiceList(Service=[service])
        )
        detail = iso2.ServiceDetailRes(
            ResponseCode=OK, ServiceID=3, ServiceParameterList=iso2.ServiceParameterList(ParameterSet=[number])
        )
        station.answers["ServiceDiscovery"] = lambda *_: offer
        station.answers["ServiceDetail"] = lambda *_: detail
        station.answers["ChargeParameterDiscovery"] = lambda _, before: parameters(ac_parameter(), both[min(before, 1)])
        joining(station)
        plan = NAP | {"services": (WantedService(category="Internet"),)}
        result = await client.charge(by_contract(station, certificates, **plan))
    assert result.ok, result.reason
    before, after = asked(station, iso2.PaymentServiceSelectionReq)
    assert before == after
    assert before.SelectedPaymentOption is iso2.PaymentOption.Contract
    assert {each.SAScheduleTupleID for each in asked(station, iso2.PowerDeliveryReq)} == {5}
    assert len(asked(station, iso2.PaymentDetailsReq)) == 2


async def test_a_station_that_forgot_gets_a_new_session() -> None:
    async with scripted("AC") as station:
        joining(station, NEW, OTHER)
        result = await client.charge(settings(station, plan=NAP))
    assert result.ok, result.reason
    assert [(each.session_id, each.joined) for each in result.sessions] == [
        (SESSION.hex(), False),
        (OTHER.hex(), False),
    ]


async def test_another_session_is_not_joined() -> None:
    async with scripted("AC") as station:
        joining(station, OLD, OTHER)
        result = await client.charge(settings(station, plan=NAP))
    assert not result.ok
    assert "another session than the one that was paused" in result.reason
    assert station.names[-1] == "SessionSetup"


async def test_a_station_that_joins_what_was_never_paused_opens_a_session() -> None:
    async with scripted("AC") as station:
        station.answers["SessionSetup"] = lambda *_: iso2.SessionSetupRes(ResponseCode=OLD, EVSEID="DE*PCG*E0001")
        result = await client.charge(settings(station))
    assert result.ok
    assert [each.joined for each in result.sessions] == [False]


async def test_a_pause_that_is_refused_ends_the_charge() -> None:
    async with scripted("AC") as station:
        station.answers["SessionStop"] = lambda *_: iso2.SessionStopRes(ResponseCode=ResponseCode.FAILED)
        result = await client.charge(settings(station, plan=NAP))
    assert (result.ok, result.ended_by) == (False, "station")
    assert [each.ended for each in result.sessions] == ["failed"]


async def test_the_driver_pauses_and_wakes() -> None:
    wishes = Wishes()
    async with scripted("AC") as station:

        def loop(_: Any, before: int) -> iso2.BodyElement:
            if before == 3:
                wishes.rest_or_wake()
            return charging()

        station.answers["ChargingStatus"] = loop
        joining(station)
        plan = {"pause_s": 60.0, "charge_s": 0.3}
        running = asyncio.create_task(client.charge(settings(station, plan=plan), wishes=wishes))
        await eventually(lambda: station.names[-1:] == ["SessionStop"], "the pause")
        await eventually(lambda: wishes._asleep, "the vehicle sleeps")
        wishes.rest_or_wake()
        result = await running
    assert result.ok, result.reason
    assert [each.ended for each in result.sessions] == ["paused", "stopped"]


async def test_somebody_ends_the_charge_while_the_car_sleeps() -> None:
    interrupt = asyncio.Event()
    async with scripted("AC") as station:
        plan = NAP | {"pause_s": 60.0}
        running = asyncio.create_task(client.charge(settings(station, plan=plan), interrupt=interrupt))
        async with asyncio.timeout(5):
            await station.left.wait()
        interrupt.set()
        result = await running
    assert (result.ok, result.reason) == (False, "interrupted")
    assert [each.ended for each in result.sessions] == ["paused"]


async def test_a_station_that_stopped_the_charge_is_come_back_to_if_the_plan_says_so() -> None:
    async with scripted("AC") as station:
        joining(station)
        stopped = station.answers["ChargingStatus"]
        station.answers["ChargingStatus"] = lambda request, before: (
            packed(charging(iso2.AC_EVSEStatus(
                NotificationMaxDelay=0, EVSENotification=iso2.EVSENotification.StopCharging, RCD=False
            ))) if before == 1 else stopped(request, before)
        )  # fmt: skip
        plan = {"when_stopped": "pause", "pause_s": 0.05, "charge_s": 0.2}
        result = await client.charge(settings(station, plan=plan))
    assert result.ok, result.reason
    assert farewells(station) == [ChargingSession.Pause, ChargingSession.Terminate]


# --- across processes -----------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "paused" / "session.json"


async def paused_run(station: ScriptedStation, file: Path, **plan: Any) -> None:
    before = {"pause_after_s": 0.05, "pause_file": str(file), "charge_s": 30.0}
    result = await client.charge(settings(station, plan=before | plan))
    assert result.ok, result.reason
    assert result.summary.endswith("%, paused")


def read(file: Path) -> dict[str, Any]:
    """What was kept, where nobody else may read it and nothing else lies."""
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return kept


def there(file: Path) -> bool:
    return file.exists()


def put(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_bytes(text.encode("utf-8", "surrogatepass"))


async def test_a_later_run_joins_the_session(file: Path) -> None:
    async with scripted("AC") as station:
        joining(station)
        await paused_run(station, file, energy_wh=5_000.0, departure_s=7_200)
        kept = read(file)
        assert kept["session_id"] == SESSION.hex()
        later = {"resume": True, "pause_file": str(file), "charge_s": 0.2, "energy_wh": 5_000.0, "energy": "ac1"}
        result = await client.charge(settings(station, plan=later))
    assert result.ok, result.reason
    assert [each.joined for each in result.sessions] == [True]
    assert headers(station) == [bytes(8), SESSION]
    before, after = asked(station, iso2.ChargeParameterDiscoveryReq)
    assert after.RequestedEnergyTransferMode is before.RequestedEnergyTransferMode
    assert after.EVChargeParameter.EAmount.Value == pytest.approx(5_000 - kept["energy_wh"], abs=1.1)
    assert 7_190 < after.EVChargeParameter.DepartureTime <= 7_200
    assert result.energy_wh > kept["energy_wh"]
    assert not there(file)


async def test_a_station_that_is_not_there_leaves_the_session_for_another_try(file: Path) -> None:
    async with scripted("AC") as station:
        await paused_run(station, file)
        later = settings(station, plan={"resume": True, "pause_file": str(file)})
    result = await client.charge(later)
    assert not result.ok
    assert there(file)


async def test_a_station_that_answers_nothing_leaves_it_for_another_try_too(file: Path) -> None:
    """The car wakes up in the same process, and gets no answer before SessionSetup."""
    async with scripted("AC") as station:
        joining(station)
        agreed = station.negotiation
        station.negotiation = lambda request: None if station.requests else agreed(request)
        plan = NAP | {"pause_file": str(file)}
        quick = Timing(timeouts={"SupportedAppProtocolReq": 0.1})
        result = await client.charge(settings(station, plan=plan), timing=quick)
    assert not result.ok
    assert [each.ended for each in result.sessions] == ["paused", "failed"]
    assert there(file)


async def test_nothing_to_join_is_a_session_like_any_other(file: Path) -> None:
    async with scripted("AC") as station:
        result = await client.charge(settings(station, plan={"resume": True, "pause_file": str(file)}))
    assert result.ok
    assert headers(station) == [bytes(8)]


async def test_a_session_that_failed_after_it_was_joined_is_forgotten(file: Path) -> None:
    async with scripted("AC") as station:
        joining(station)
        await paused_run(station, file)
        station.answers["Authorization"] = lambda *_: None
        later = settings(station, plan={"resume": True, "pause_file": str(file)}, timeouts={"AuthorizationReq": 0.05})
        result = await client.charge(later)
    assert not result.ok
    assert not there(file)


def example(**changes: Any) -> Paused:
    facts: dict[str, Any] = {
        "session_id": SESSION.hex(), "evcc_id": EvccConfig().evcc_id, "plan": Plan(), "payment": "external",
        "emaid": None, "schedule_id": 1, "energy_wh": 10.0, "flowed_s": 5.0, "departs_at": None, "paused_at": 0.0,
    }  # fmt: skip
    return Paused(**(facts | changes))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "\0", '{"session_id": "00"}', json.dumps({"session_id": "zz" * 8}), "\ud800"],
)
async def test_a_file_that_is_no_session(file: Path, text: str) -> None:
    put(file, text)
    async with scripted("AC") as station:
        with pytest.raises(ValueError, match=r"session\.json: no paused session can be read.*remove it"):
            await client.charge(settings(station, plan={"resume": True, "pause_file": str(file)}))
    assert station.requests == []


@pytest.mark.parametrize(
    "wrong",
    [{"departs_at": 1e300}, {"departs_at": -1.0}, {"energy_wh": 1e300}, {"flowed_s": 1e300}, {"schedule_id": -1}],
)
async def test_a_file_that_tells_what_no_session_can_be(file: Path, wrong: dict[str, Any]) -> None:
    pausing.save(file, example(**wrong))
    async with scripted("AC") as station:
        with pytest.raises(ValueError, match=r"session\.json: no paused session can be read.*remove it"):
            await client.charge(settings(station, plan={"resume": True, "pause_file": str(file)}))
    assert station.requests == []


@pytest.mark.parametrize("place", ["", "occupied/session.json", "occupied/deeper/session.json"])
async def test_a_place_where_no_session_can_be_kept(tmp_path: Path, place: str) -> None:
    (tmp_path / "occupied").touch()
    async with scripted("AC") as station:
        with pytest.raises(ValueError, match=r"\[plan\] pause_file, .*; name another file"):
            await client.charge(settings(station, plan={"pause_after_s": 0.05, "pause_file": str(tmp_path / place)}))
    assert station.requests == []


@given(st.binary(max_size=300))
def test_no_bytes_are_read_as_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "hostile.json"
    file.write_bytes(data)
    with pytest.raises(ValueError, match="no paused session"):
        pausing.load(file)


def test_it_is_read_as_it_was_written(file: Path) -> None:
    paused = example(plan=Plan(services=(WantedService(category="Internet"),)), departs_at=2e9)
    pausing.save(file, paused)
    assert pausing.load(file) == paused
    pausing.forget(file)
    pausing.forget(file)
    assert pausing.load(file) is None


async def test_another_car_does_not_join(file: Path) -> None:
    pausing.save(file, example(evcc_id="02:00:00:00:00:99"))
    async with scripted("AC") as station:
        with pytest.raises(ValueError, match="one of 02:00:00:00:00:99, not of"):
            await client.charge(settings(station, plan={"resume": True, "pause_file": str(file)}))


async def test_a_car_that_lost_the_contract_does_not_join(certificates: Path, file: Path) -> None:
    pausing.save(file, example(plan=Plan(), payment="contract", emaid="DE8AA0012345670"))
    async with scripted("AC", served(certificates)) as station:
        plan = {"resume": True, "pause_file": str(file)}
        with pytest.raises(ValueError, match="paid by DE8AA0012345670, a contract that the car does not hold"):
            await client.charge(by_contract(station, certificates, **plan))


def test_a_departure_that_is_over_is_now() -> None:
    assert example(departs_at=time.time() - 60).departure_s() == 0
    assert example().departure_s() is None
