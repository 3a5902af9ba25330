"""Services besides charging, and receipts: what the vehicle asks for, takes, signs, and tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from evcc import client
from evcc.config import WantedService
from evcc.result import Result
from tests.certificates import car1
from tests.evcc.bench_station import (
    OK,
    SESSION,
    A,
    Answer,
    ScriptedStation,
    ac_status,
    charging,
    dc_status,
    demand,
    discovery,
    scripted,
    value,
)
from tests.evcc.test_client import by_contract, served, settings
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode, ServiceCategory
from v2g.protocols import schema
from v2g.signature import verify

INTERNET = iso2.Service(
    ServiceID=3, ServiceName="InternetAccess", ServiceCategory=ServiceCategory.Internet, FreeService=True
)
INFORMATION = iso2.Service(
    ServiceID=60_001, ServiceCategory=ServiceCategory.OtherCustom, ServiceScope="pcg", FreeService=False
)
SETS = {
    3: [("ftp", 21), ("http", 80), ("https", 443)],
    60_001: [("mqtt", 1_883)],
}


def offering(station: ScriptedStation, *services: iso2.Service) -> None:
    offer = discovery("Contract", "ExternalPayment")
    station.answers["ServiceDiscovery"] = lambda *_: msgspec.structs.replace(
        offer, ServiceList=iso2.ServiceList(Service=list(services)) if services else None
    )
    station.answers["ServiceDetail"] = detail


def detail(request: Any, _before: int) -> Answer:
    sets = [
        iso2.ParameterSet(
            ParameterSetID=place,
            Parameter=[iso2.Parameter(Name="Protocol", stringValue=name), iso2.Parameter(Name="Port", intValue=port)],
        )
        for place, (name, port) in enumerate(SETS[request.ServiceID], start=1)
    ]
    return iso2.ServiceDetailRes(
        ResponseCode=OK, ServiceID=request.ServiceID, ServiceParameterList=iso2.ServiceParameterList(ParameterSet=sets)
    )


async def charged(certificates: Path, *wanted: WantedService, **plan: Any) -> tuple[Result, ScriptedStation]:
    async with scripted("AC", served(certificates)) as station:
        offering(station, INTERNET, INFORMATION)
        result = await client.charge(by_contract(station, certificates, services=wanted, **plan))
        assert result.ok, result.reason
        return result, station


def selected(station: ScriptedStation) -> list[tuple[int, int | None]]:
    request = next(each for each in station.requests if isinstance(each, iso2.PaymentServiceSelectionReq))
    return [(each.ServiceID, each.ParameterSetID) for each in request.SelectedServiceList.SelectedService]


# --- services -------------------------------------------------------------------------------------------------------


async def test_a_service_is_looked_at_and_selected(certificates: Path) -> None:
    result, station = await charged(certificates, WantedService(category="Internet", parameters={"Protocol": "https"}))
    assert station.names[:4] == ["SessionSetup", "ServiceDiscovery", "ServiceDetail", "PaymentServiceSelection"]
    assert selected(station) == [(1, None), (3, 3)]
    internet, information = result.services
    assert (internet.name, internet.category, internet.free, internet.parameter_set) == (
        "InternetAccess",
        "Internet",
        True,
        3,
    )
    assert internet.parameter_sets[1] == {"Protocol": "ftp", "Port": 21}
    assert (information.scope, information.parameter_sets, information.selected) == ("pcg", {}, False)
    assert result.free is False


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (WantedService(id=3), [(3, 1)]),
        (WantedService(name="InternetAccess", parameter_set=2), [(3, 2)]),
        (WantedService(category="Internet", parameters={"Port": 80}), [(3, 2)]),
        (WantedService(id=3, parameter_set=9), []),
        (WantedService(id=3, parameters={"Port": "80"}), []),
        (WantedService(id=3, category="OtherCustom"), []),
        (WantedService(id=4), []),
        (WantedService(category="OtherCustom"), [(60_001, 1)]),
    ],
)
async def test_what_fits_a_wish(certificates: Path, wanted: WantedService, taken: list[tuple[int, int]]) -> None:
    _, station = await charged(certificates, wanted)
    assert selected(station) == [(1, None), *taken]


async def test_parameters_of_every_type(certificates: Path) -> None:
    parameters = [
        iso2.Parameter(Name="bool", boolValue=False),
        iso2.Parameter(Name="byte", byteValue=-1),
        iso2.Parameter(Name="short", shortValue=0),
        iso2.Parameter(Name="int", intValue=443),
        iso2.Parameter(Name="physical", physicalValue=value(16.5, A)),
        iso2.Parameter(Name="string", stringValue=""),
    ]
    sets = iso2.ServiceParameterList(ParameterSet=[iso2.ParameterSet(ParameterSetID=-7, Parameter=parameters)])
    async with scripted("AC", served(certificates)) as station:
        offering(station, INTERNET)
        station.answers["ServiceDetail"] = lambda *_: iso2.ServiceDetailRes(
            ResponseCode=OK, ServiceID=3, ServiceParameterList=sets
        )
        result = await client.charge(by_contract(station, certificates, services=(WantedService(id=3),)))
    assert result.services[0].parameter_sets == {
        -7: {"bool": False, "byte": -1, "short": 0, "int": 443, "physical": 16.5, "string": ""}
    }
    assert selected(station) == [(1, None), (3, -7)]


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (WantedService(id=3), [(3, None)]),
        (WantedService(id=3, parameter_set=1), []),
        (WantedService(id=3, parameters={"Port": 80}), []),
    ],
)
async def test_a_service_without_parameters(certificates: Path, wanted: WantedService, taken: list[Any]) -> None:
    """It is taken without a set, unless the wish names one."""
    async with scripted("AC", served(certificates)) as station:
        offering(station, INTERNET)
        station.answers["ServiceDetail"] = lambda *_: iso2.ServiceDetailRes(ResponseCode=OK, ServiceID=3)
        result = await client.charge(by_contract(station, certificates, services=(wanted,)))
    assert result.ok, result.reason
    assert selected(station) == [(1, None), *taken]


async def test_several_services(certificates: Path) -> None:
    _, station = await charged(certificates, WantedService(id=60_001), WantedService(category="Internet"))
    assert [each.ServiceID for each in station.requests if isinstance(each, iso2.ServiceDetailReq)] == [3, 60_001]
    assert selected(station) == [(1, None), (3, 1), (60_001, 1)]


async def test_the_plans_category_and_scope_are_asked_for(certificates: Path) -> None:
    _, station = await charged(certificates, service_category="Internet", service_scope="pcg")
    request = next(each for each in station.requests if isinstance(each, iso2.ServiceDiscoveryReq))
    assert (request.ServiceCategory, request.ServiceScope) == (ServiceCategory.Internet, "pcg")


async def test_without_tls_there_is_nothing_but_charging() -> None:
    async with scripted("AC") as station:
        offering(station, INTERNET)
        result = await client.charge(settings(station, plan={"services": (WantedService(id=3),)}))
    assert result.ok
    assert "ServiceDetail" not in station.names
    assert selected(station) == [(1, None)]
    assert [each.selected for each in result.services] == [False]


async def test_a_service_that_is_refused_ends_the_session(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        offering(station, INTERNET)
        station.answers["ServiceDetail"] = lambda request, _: iso2.ServiceDetailRes(
            ResponseCode=ResponseCode.FAILED_ServiceIDInvalid, ServiceID=request.ServiceID
        )
        result = await client.charge(by_contract(station, certificates, services=(WantedService(id=3),)))
    assert (result.ok, result.ended_by, station.names[-1]) == (False, "station", "ServiceDetail")
    assert "FAILED_ServiceIDInvalid" in result.reason


async def test_charging_that_costs_nothing_is_told() -> None:
    async with scripted("AC") as station:
        offer = discovery("ExternalPayment")
        free = msgspec.structs.replace(
            offer, ChargeService=msgspec.structs.replace(offer.ChargeService, FreeService=True)
        )
        station.answers["ServiceDiscovery"] = lambda *_: free
        result = await client.charge(settings(station))
    assert (result.ok, result.free) == (True, True)


# --- receipts -------------------------------------------------------------------------------------------------------

METER = iso2.MeterInfo(
    MeterID="meter-1", MeterReading=2**40 + 7, SigMeterReading=bytes(range(64)), MeterStatus=-3, TMeter=1_700_000_000
)


def loop(energy: str, reading: iso2.MeterInfo | None, *, demanded: bool, schedule_id: int = 1) -> iso2.BodyElement:
    answer: Any = charging() if energy == "AC" else demand()
    changed: iso2.BodyElement = msgspec.structs.replace(
        answer, MeterInfo=reading, ReceiptRequired=demanded, SAScheduleTupleID=schedule_id
    )
    return changed


def receipted(status: iso2.EVSEStatus) -> Answer:
    return iso2.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=status)


@pytest.mark.parametrize(("energy", "name"), [("AC", "ChargingStatus"), ("DC", "CurrentDemand")])
async def test_a_reading_is_signed_as_it_was_told(certificates: Path, energy: Any, name: str) -> None:
    async with scripted(energy, served(certificates)) as station:
        station.answers[name] = lambda _, turn: loop(energy, METER, demanded=turn == 2, schedule_id=9)
        station.answers["MeteringReceipt"] = lambda *_: receipted(ac_status() if energy == "AC" else dc_status())
        mode = "ac3" if energy == "AC" else "dc"
        result = await client.charge(by_contract(station, certificates, energy=mode, charge_s=0.3))
    assert result.ok, result.reason
    place = next(place for place, each in enumerate(station.requests) if isinstance(each, iso2.MeteringReceiptReq))
    receipt, header = station.requests[place], station.headers[place]
    kinds = [type(each).__name__ for each in station.requests]
    assert kinds[:place].count(f"{name}Req") == 3
    assert kinds[place + 1] == f"{name}Req"
    assert (receipt.MeterInfo, receipt.SessionID, receipt.SAScheduleTupleID) == (METER, SESSION, 9)
    assert header.Signature is not None
    key = car1(certificates).key.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    verify(header.Signature, {receipt.Id: schema("iso2").fragment_forms(receipt)}, key, "iso2")
    assert [(each.meter_id, each.reading_wh, each.schedule_id) for each in result.receipts] == [
        ("meter-1", 2**40 + 7, 9)
    ]
    assert all(each.Signature is None for each in station.headers[place + 1 :])


async def test_every_receipt_demanded_is_given(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ChargingStatus"] = lambda *_: loop("AC", METER, demanded=True)
        station.answers["MeteringReceipt"] = lambda *_: receipted(ac_status())
        result = await client.charge(by_contract(station, certificates, charge_s=0.05))
    assert result.ok, result.reason
    kinds = [type(each).__name__ for each in station.requests]
    assert kinds.count("ChargingStatusReq") == kinds.count("MeteringReceiptReq") == len(result.receipts) > 1


async def test_what_the_station_wishes_after_a_receipt_is_done(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ChargingStatus"] = lambda *_: loop("AC", METER, demanded=True)
        station.answers["MeteringReceipt"] = lambda *_: receipted(ac_status("StopCharging"))
        result = await client.charge(by_contract(station, certificates, charge_s=60))
    assert result.ended_by == "station"
    assert station.names[-3:] == ["MeteringReceipt", "PowerDelivery", "SessionStop"]


@pytest.mark.parametrize(("energy", "name"), [("AC", "ChargingStatus"), ("DC", "CurrentDemand")])
async def test_without_a_contract_nothing_is_signed(energy: Any, name: str) -> None:
    """[V2G2-691] [V2G2-903]"""
    async with scripted(energy) as station:
        station.answers[name] = lambda _, turn: loop(energy, METER, demanded=turn == 2)
        result = await client.charge(
            settings(station, plan={"energy": "ac3" if energy == "AC" else "dc", "charge_s": 60})
        )
    assert not result.ok
    assert "which only a contract can sign" in result.reason
    assert station.names[-3:] == [name, "PowerDelivery", "SessionStop"]
    assert result.receipts == []


async def test_no_reading_is_confirmed_that_was_not_told(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ChargingStatus"] = lambda *_: loop("AC", None, demanded=True)
        result = await client.charge(by_contract(station, certificates, charge_s=60))
    assert "does not tell" in result.reason
    assert station.names[-2:] == ["PowerDelivery", "SessionStop"]


async def test_a_receipt_that_is_refused_ends_the_session(certificates: Path) -> None:
    async with scripted("AC", served(certificates)) as station:
        station.answers["ChargingStatus"] = lambda *_: loop("AC", METER, demanded=True)
        station.answers["MeteringReceipt"] = lambda *_: iso2.MeteringReceiptRes(
            ResponseCode=ResponseCode.FAILED_MeteringSignatureNotValid, EVSEStatus=ac_status()
        )
        result = await client.charge(by_contract(station, certificates, charge_s=60))
    assert (result.ok, result.ended_by, station.names[-1]) == (False, "station", "MeteringReceipt")
    assert result.receipts == []
