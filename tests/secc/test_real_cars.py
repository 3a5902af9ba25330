"""What real cars do that no standard foresees, spoken to the running station byte by byte.

The quirks and offers are transcribed from field observations; those that are single messages lie in `tests/vectors`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from tests.reference import REFERENCE, needs_reference
from tests.secc import bench_din, bench_requests
from tests.secc.bench import Bench, bench, dc_bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_requests import AC, DC, Step, dc_parameters, demand, power, precharge, stop, walk
from v2g.messages import app_protocol, din, iso2
from v2g.protocols import schema

VECTORS = {
    each["name"]: each
    for each in json.loads((Path(__file__).parents[1] / "vectors" / "quirks.json").read_text(encoding="utf-8"))
}
VECTOR_SESSION = bytes.fromhex("c0ffee0123456789")

# --- discovery ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        pytest.param("1000", 0x10, id="most cars"),
        pytest.param("0000", 0x10, id="Audi Q4, VW id.4, id.buzz, Tesla Model X: TLS, and on over plain TCP"),
    ],
)
async def test_discovery(asked: str, offered: int) -> None:
    """A station without TLS says so [V2G2-627]; the answer is taken apart by hand."""
    async with dc_bench() as station:
        answer = await discovered(station, bytes.fromhex(f"01fe900000000002{asked}"))
        assert answer[:8] == bytes.fromhex("01fe900100000014")
        assert answer[8:24] == bytes(15) + b"\1"
        assert int.from_bytes(answer[24:26]) == station.station.tcp_port
        assert (answer[26], answer[27]) == (offered, 0x00)


async def test_a_car_that_asks_both_ways(certificates: Path) -> None:
    """An Audi Q4 asked for TLS and then without: each is answered as it was asked, where both are there."""
    async with dc_bench(certificates=certificates) as station:
        tls = await discovered(station, bytes.fromhex("01fe9000000000020000"))
        plain = await discovered(station, bytes.fromhex("01fe9000000000021000"))
        assert [(int.from_bytes(each[24:26]), each[26]) for each in (tls, plain)] == [
            (station.station.tls_port, 0x00),
            (station.station.tcp_port, 0x10),
        ]


async def discovered(station: Bench, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        await loop.sock_sendto(asking, request, ("::1", station.station.sdp_port))
        async with asyncio.timeout(2):
            return await loop.sock_recv(asking, 100)


# --- what they offer ------------------------------------------------------------------------------------------------

DIN, ISO = "urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"
TESLA = "urn:tesla:din:2018:MsgDef"


class Offered(NamedTuple):
    """One line of an offer."""

    namespace: str
    schema_id: int
    priority: int
    version: tuple[int, int] = (2, 0)


class Offers(NamedTuple):
    """Who offers what, in which order; and which schema id a DC station must choose, and one with AC alone."""

    lines: tuple[Offered, ...]
    dc: int
    ac: int | None


OFFERS = {
    "VW, Audi, Porsche, Mercedes EQE": Offers((Offered(DIN, 1, 2), Offered(ISO, 0, 1)), 0, 0),
    "BMW iX, Citroen, Fiat, Opel, Polestar, Skoda, Subaru, VW id.4": Offers(
        (Offered(DIN, 1, 1), Offered(ISO, 0, 2)), 1, 0
    ),
    "BYD, XPENG, Mercedes EQE": Offers((Offered(DIN, 1, 1), Offered(ISO, 3, 5)), 1, 3),
    "Renault Zoe": Offers((Offered(DIN, 0, 1), Offered(ISO, 1, 2)), 0, 1),
    "MG4": Offers((Offered(DIN, 2, 1), Offered(ISO, 10, 2)), 2, 10),
    "Hyundai Ioniq5, Kia EV6": Offers((Offered(DIN, 1, 1), Offered(ISO, 2, 2)), 1, 2),
    "Seres": Offers((Offered(DIN, 10, 1), Offered(ISO, 20, 2)), 10, 20),
    "Tesla Model 3 and Y": Offers((Offered(TESLA, 2, 1, (0, 7)), Offered(DIN, 1, 2)), 1, None),
    "Tesla Model X": Offers((Offered(DIN, 1, 3), Offered(TESLA, 2, 2, (0, 7))), 1, None),
    "dSPACE": Offers((Offered(ISO, 111, 1), Offered(DIN, 222, 2)), 111, 111),
    "RISE": Offers((Offered(ISO, 10, 1),), 10, 10),
    "Kona, EQC, Ampera-E, Ioniq, BMW iX of 2024": Offers((Offered(DIN, 1, 1),), 1, None),
}


def offer(lines: Sequence[Offered]) -> bytes:
    """The SupportedAppProtocolReq."""
    return schema("sap").encode(
        app_protocol.SupportedAppProtocolReq(
            AppProtocol=[
                app_protocol.AppProtocol(
                    ProtocolNamespace=line.namespace,
                    VersionNumberMajor=line.version[0],
                    VersionNumberMinor=line.version[1],
                    SchemaID=line.schema_id,
                    Priority=line.priority,
                )
                for line in lines
            ]
        )
    )


@pytest.mark.parametrize("who", OFFERS)
@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_offers(energy: str, who: str) -> None:
    """The answer names the schema id of the best of those that are spoken here, and that is spoken from then on."""
    chosen = OFFERS[who].dc if energy == "DC" else OFFERS[who].ac
    async with bench(energy) as station:
        car = await station.car()
        car.send(framed(offer(OFFERS[who].lines)))
        payload = await car.read_payload()
        if chosen is None:
            assert payload.hex() in ("804880", "80480000")
            assert await car.gone()
            return
        assert payload.hex() == sap_answer(chosen)
        namespace = next(line.namespace for line in OFFERS[who].lines if line.schema_id == chosen)
        route, car.schema = {DIN: (bench_din.DC, "din"), ISO: ({"AC": AC, "DC": DC}[energy], "iso2")}[namespace]
        await walk(car, station.charger, route[1:])
        await station.ended("session_ended")


def sap_answer(schema_id: int) -> str:
    """OK_SuccessfulNegotiation with a schema id, bit by bit: code 0, then the id behind its event code."""
    return (0x8040 << 16 | schema_id << 6).to_bytes(4).hex()


@needs_reference
def test_offers_are_those_of_the_captures() -> None:
    """Byte for byte, as far as captures may be had."""
    seen = set()
    with gzip.open(REFERENCE / "frames" / "real-cars.jsonl.gz", "rt", encoding="utf-8") as lines:
        for frame in map(json.loads, lines):
            if frame["protocol"] == "sap" and frame["direction"] == "evcc>secc" and "EVerest" not in frame["from"][0]:
                seen.add(frame["exi"])
    ours = {offer(each.lines).hex() for each in OFFERS.values()}
    assert len(seen) == 6
    assert seen <= ours


@pytest.mark.parametrize("schema_id", [0, 1, 10, 111, 222, 255])
async def test_any_schema_id_comes_back(schema_id: int) -> None:
    async with bench("AC") as station:
        car = await station.car()
        car.send(framed(offer([Offered(ISO, schema_id, 20)])))
        assert (await car.read_payload()).hex() == sap_answer(schema_id)


# --- single messages ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def met(
    route: Sequence[Step], wait: str, energy: str = "DC", scale: float = 1.0
) -> AsyncIterator[tuple[Bench, Car]]:
    """A car for which the station waits at a place, in the session that the vectors belong to."""

    def drawn(size: int) -> bytes:
        return VECTOR_SESSION if size == len(VECTOR_SESSION) else os.urandom(size)

    with patch.object(secrets, "token_bytes", drawn):
        async with bench(energy, scale=scale) as station:
            car = await station.car()
            await walk(car, station.charger, route, wait)
            yield station, car


async def say(car: Car, name: str) -> Any:
    """Send a vector and return the answer."""
    car.send(framed(bytes.fromhex(VECTORS[name]["hex"])))
    return (await car.receive()).body


@pytest.mark.parametrize("name", ["a zero byte behind the end", "other bytes behind the end"])
async def test_bytes_behind_the_end(name: str) -> None:
    """Tesla's ContractAuthenticationReq."""
    async with met(bench_din.DC, "ContractAuthentication") as (station, car):
        answer = await say(car, name)
        assert (type(answer), answer.ResponseCode) == (din.ContractAuthenticationRes, "OK")
        rest = [name for name, _ in bench_din.DC].index("ChargeParameterDiscovery")
        await walk(car, station.charger, bench_din.DC[rest:])


@pytest.mark.parametrize("name", ["service scope of 64 NULs", "service scope beyond the first plane"])
async def test_a_service_scope_of_odd_characters(name: str) -> None:
    """BMW iX."""
    async with met(AC, "ServiceDiscovery", "AC") as (station, car):
        answer = await say(car, name)
        assert (type(answer), answer.ResponseCode) == (iso2.ServiceDiscoveryRes, "OK")
        await walk(car, station.charger, AC[3:])


SETUPS = {
    "session id of no bytes": (AC, "Subaru Solterra"),
    "session id left out": (AC, "EXIficient"),
    "session id of no bytes in DIN": (bench_din.DC, "early OpenV2Gx"),
    "EVCCID of no bytes": (bench_din.DC, "pyPLC"),
    "EVCCID left out": (bench_din.DC, "EXIficient"),
}


@pytest.mark.parametrize("name", SETUPS)
async def test_ids_of_no_length(name: str) -> None:
    """A session begins all the same, and goes on with the id it was given."""
    route, _ = SETUPS[name]
    energy = "AC" if route is AC else "DC"
    async with met(route, "SessionSetup", energy) as (station, car):
        answer = await say(car, name)
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        assert car.session_id == VECTOR_SESSION
        await walk(car, station.charger, route[2:])
        await station.ended("session_ended")


@pytest.mark.parametrize("session_id", ["", "00", "0000000000000000", "0102", "0102030405060708"])
@pytest.mark.parametrize("protocol", ["iso2", "din"])
async def test_session_ids_that_cars_begin_with(protocol: str, session_id: str) -> None:
    """None, one zero byte, eight of them, and one that is not known here any more [V2G2-756]."""
    route, setup = (DC, iso2.SessionSetupReq) if protocol == "iso2" else (bench_din.DC, din.SessionSetupReq)
    async with met(route, "SessionSetup") as (_, car):
        evcc_id = bytes.fromhex("02a1b2c3d4e5")
        answer = await car.ask(setup(EVCCID=evcc_id), session_id=bytes.fromhex(session_id))
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        assert car.session_id == VECTOR_SESSION


async def test_an_evcc_id_filled_up_to_eight_bytes() -> None:
    async with met(bench_din.DC, "SessionSetup") as (station, car):
        answer = await car.ask(din.SessionSetupReq(EVCCID=bytes.fromhex("02a1b2c3d4e50000")))
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        await walk(car, station.charger, bench_din.DC[2:])


async def test_a_profile_that_wrapped() -> None:
    """Seres: four phases, and -2413.6 W that were 4140 W before they met 16 bits. It charges."""
    async with met(DC, "PreCharge") as (station, car):
        car.send(wrapped(car))
        assert (await car.receive()).code == "OK"
        assert (await car.ask(demand())).ResponseCode == "OK"
        assert station.charger.current_a == 100


def wrapped(car: Car) -> bytes:
    """The vector with another tuple id; no encoder of ours writes four phases, so that the bits are carried over."""
    vector = VECTORS["four phases and a power that wrapped"]
    read = schema("iso2").decode(bytes.fromhex(vector["hex"]))
    assert isinstance(read, iso2.V2G_Message)
    request = read.Body.BodyElement
    assert isinstance(request, iso2.PowerDeliveryReq)
    assert request.ChargingProfile is not None
    entry = replace(request.ChargingProfile.ProfileEntry[0], ChargingProfileEntryMaxNumberOfPhasesInUse=3)
    valid = replace(request, ChargingProfile=iso2.ChargingProfile(ProfileEntry=[entry]))
    four = int.from_bytes(car.encode(valid)[8:]) ^ int(vector["hex"], 16)
    assert four.bit_count() == 1
    asked = car.encode(replace(valid, SAScheduleTupleID=1))
    return framed((int.from_bytes(asked[8:]) ^ four).to_bytes(len(asked) - 8))


async def test_a_tuple_that_was_not_offered() -> None:
    """The profile of the vector itself names tuple 3: that is refused, and not by silence."""
    async with met(DC, "PreCharge") as (_, car):
        answer = await say(car, "four phases and a power that wrapped")
        assert answer.ResponseCode == "FAILED_TariffSelectionInvalid"


async def test_a_battery_that_is_fuller_than_full() -> None:
    """An EVRESSSOC of 111 % while the battery is not known yet is told to nobody."""
    async with met(DC, "CableCheck") as (station, car):
        station.charger.change(plug="C")
        assert (await say(car, "state of charge of 111 percent")).ResponseCode == "OK"
        assert all((told["vehicle"].soc_percent or 0) <= 100 for told in station.charger.said("vehicle"))


# --- renegotiation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("accepted", "code"), [(True, "OK"), (False, "FAILED_SequenceError")])
async def test_a_renegotiation_without_a_cable_check(accepted: bool, code: str) -> None:
    """Cars of the VW group stay in C and go on charging; `direct_restart` says whether they may."""
    async with dc_bench(session={"direct_restart": accepted}) as station:
        car = await station.car_at(DC, "CurrentDemand")
        mark = len(station.charger.orders)
        assert (await car.ask(power("Renegotiate"))).ResponseCode == "OK"
        assert station.charger.current_a == 0
        assert (await car.ask(dc_parameters())).ResponseCode == "OK"
        assert (await car.ask(power("Start"))).ResponseCode == code
        if accepted:
            assert (await car.ask(demand())).ResponseCode == "OK"
            assert station.charger.current_a == 100
            permits = [order.facts for order in station.charger.orders[mark:] if order.kind == "permit"]
            assert not any(permit["contactor"] == "open" for permit in permits)


async def test_a_renegotiation_without_a_cable_check_and_without_c() -> None:
    """A pilot that left C for a moment closes nothing any more."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        await car.ask(power("Renegotiate"))
        await car.ask(dc_parameters())
        station.charger.change(plug="B")
        await station.until(lambda: station.charger.levels["contactor"] == "open")
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED"
        await station.ended("refused")


# --- units ----------------------------------------------------------------------------------------------------------

UNITS = [None, din.UnitSymbol.W, din.UnitSymbol.Ah, din.UnitSymbol.VA]


@pytest.mark.parametrize("unit", UNITS, ids=str)
async def test_values_of_odd_units_or_none(unit: din.UnitSymbol | None) -> None:
    """Which unit a field has is settled by the standard; DIN may leave it out, and some say another one."""
    async with met(bench_din.DC, "PreCharge first") as (station, car):
        request = din.PreChargeReq(
            DC_EVStatus=bench_din.ev_status(),
            EVTargetVoltage=din.PhysicalValue(Multiplier=0, Unit=unit, Value=380),
            EVTargetCurrent=din.PhysicalValue(Multiplier=-1, Unit=unit, Value=10),
        )
        assert (await car.ask(request)).ResponseCode == "OK"
        assert station.charger.voltage_v == 380


@pytest.mark.parametrize(("multiplier", "value"), [(-1, 3800), (-2, 32_000), (0, 380), (1, 38), (2, 4)])
async def test_any_multiplier(multiplier: int, value: int) -> None:
    async with met(DC, "PreCharge first") as (station, car):
        request = precharge()
        target = iso2.PhysicalValue(Multiplier=multiplier, Unit=iso2.UnitSymbol.V, Value=value)
        assert (await car.ask(iso2.PreChargeReq(
            DC_EVStatus=request.DC_EVStatus, EVTargetVoltage=target, EVTargetCurrent=request.EVTargetCurrent
        ))).ResponseCode == "OK"  # fmt: skip
        assert station.charger.voltage_v == pytest.approx(value * 10.0**multiplier)


# --- stops ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["iso2", "din"])
async def test_a_stop_right_after_the_setup(protocol: str) -> None:
    """Audi Q4."""
    route, last = (DC, stop()) if protocol == "iso2" else (bench_din.DC, bench_din.stop())
    async with met(route, "ServiceDiscovery") as (station, car):
        assert (await car.ask(last)).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("session_ended")


@pytest.mark.parametrize("begun", [False, True], ids=["before the first", "after the first"])
@pytest.mark.parametrize("wait", ["CableCheck", "PreCharge"])
@pytest.mark.parametrize("protocol", ["iso2", "din"])
async def test_a_stop_straight_after_stop_charging(protocol: str, wait: str, begun: bool) -> None:
    """Told to stop in cable check or pre-charge; no PowerDeliveryReq comes before the SessionStopReq.

    Refused, the plug would stay locked for a while.
    """
    of: Any = {"din": bench_din, "iso2": bench_requests}[protocol]
    request = of.cable_check() if wait == "CableCheck" else of.precharge()
    async with met(of.DC, wait) as (station, car):
        station.charger.check = "hangs"
        station.charger.change(plug="C")
        if begun:
            assert (await car.ask(request)).DC_EVSEStatus.EVSENotification == "None"
        station.charger.wish = "stop"
        told = await car.ask(request)
        assert (told.ResponseCode, told.DC_EVSEStatus.EVSENotification) == ("OK", "StopCharging")
        assert (await car.ask(of.stop())).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("session_ended")


@pytest.mark.parametrize("protocol", ["iso2", "din"])
async def test_a_car_that_does_not_hear_of_it(protocol: str) -> None:
    """It tests no cable and goes no further than to the end of the time for that."""
    of: Any = {"din": bench_din, "iso2": bench_requests}[protocol]
    async with met(of.DC, "CableCheck", scale=0.1) as (station, car):
        station.charger.change(plug="C")
        station.charger.wish = "stop"
        answer = await car.ask(of.cable_check())
        while answer.ResponseCode == "OK":
            assert answer.EVSEProcessing == "Ongoing"
            answer = await car.ask(of.cable_check())
        assert answer.ResponseCode == "FAILED"
        assert station.charger.said("check_cable") == []
        assert "wishes to stop" in (await station.ended("refused"))["reason"]
