"""Value added services: what is listed, explained and selected, at the running station."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from secc import config
from tests.certificates import car1
from tests.secc.bench import Bench, ac_bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, IDENTIFY, walk, with_contract
from v2g.messages import iso2

PARKING: dict[str, Any] = {
    "id": 60_001,
    "name": "Parking",
    "scope": "garage",
    "free": False,
    "sets": [{"id": 1, "parameters": {"Bay": "12", "Hours": 2, "Roofed": True}}],
}
SERVICES = {"internet": ["http", "https", "ftp", "ftp-data"], "own": [PARKING]}

# (ParameterSetID, Protocol, Port) as the reference has them.
INTERNET = {(1, "ftp", 20), (2, "ftp", 21), (3, "http", 80), (4, "https", 443)}


async def discovery(station: Bench, *, tls: bool = True, **asked: Any) -> tuple[Car, Any]:
    """A car that asked for services, all of them or some."""
    car = await station.car_at(IDENTIFY, "ServiceDiscovery", tls=tls)
    return car, await car.ask(iso2.ServiceDiscoveryReq(**asked))


def listed(answer: Any) -> list[int]:
    return [] if answer.ServiceList is None else [each.ServiceID for each in answer.ServiceList.Service]


def selection(*services: tuple[int, int | None]) -> iso2.PaymentServiceSelectionReq:
    chosen = [iso2.SelectedService(ServiceID=number, ParameterSetID=chosen) for number, chosen in services]
    return iso2.PaymentServiceSelectionReq(
        SelectedPaymentOption=iso2.PaymentOption.ExternalPayment,
        SelectedServiceList=iso2.SelectedServiceList(SelectedService=chosen),
    )


async def test_all_are_listed_with_name_category_and_price(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES, provisioning={"install": True}) as station:
        _, answer = await discovery(station)
        assert answer.ServiceList.Service == [
            iso2.Service(
                ServiceID=2,
                ServiceName="Certificate",
                ServiceCategory=iso2.ServiceCategory.ContractCertificate,
                FreeService=True,
            ),
            iso2.Service(
                ServiceID=3,
                ServiceName="InternetAccess",
                ServiceCategory=iso2.ServiceCategory.Internet,
                FreeService=True,
            ),
            iso2.Service(
                ServiceID=60_001,
                ServiceName="Parking",
                ServiceCategory=iso2.ServiceCategory.OtherCustom,
                ServiceScope="garage",
                FreeService=False,
            ),
        ]
        assert answer.ChargeService.ServiceID == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [3, 60_001]),
        ({"ServiceCategory": iso2.ServiceCategory.Internet}, [3]),
        ({"ServiceCategory": iso2.ServiceCategory.OtherCustom}, [60_001]),
        ({"ServiceCategory": iso2.ServiceCategory.EVCharging}, []),
        ({"ServiceScope": "garage"}, [60_001]),
        ({"ServiceScope": "elsewhere"}, []),
        ({"ServiceScope": "garage", "ServiceCategory": iso2.ServiceCategory.Internet}, []),
        ({"ServiceScope": ""}, [3, 60_001]),
        ({"ServiceScope": "\0" * 64}, [3, 60_001]),  # BMW iX
    ],
)
async def test_a_filter_is_for_the_list_and_not_for_charging(
    certificates: Path, asked: dict[str, Any], expected: list[int]
) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES) as station:
        _, answer = await discovery(station, **asked)
        assert listed(answer) == expected
        assert answer.ServiceList is None or expected
        assert answer.ChargeService.SupportedEnergyTransferMode.EnergyTransferMode


async def test_details_name_the_parameter_sets(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES) as station:
        car, _ = await discovery(station)
        answer = await car.ask(iso2.ServiceDetailReq(ServiceID=3))
        sets = answer.ServiceParameterList.ParameterSet
        assert {
            (each.ParameterSetID, each.Parameter[0].stringValue, each.Parameter[1].intValue) for each in sets
        } == INTERNET
        assert [each.Name for each in sets[0].Parameter] == ["Protocol", "Port"]
        answer = await car.ask(iso2.ServiceDetailReq(ServiceID=60_001))
        [only] = answer.ServiceParameterList.ParameterSet
        assert only.Parameter == [
            iso2.Parameter(Name="Bay", stringValue="12"),
            iso2.Parameter(Name="Hours", intValue=2),
            iso2.Parameter(Name="Roofed", boolValue=True),
        ]
        assert (await car.ask(iso2.ServiceDetailReq(ServiceID=1))).ServiceParameterList is None


async def test_details_of_what_a_filter_left_out_are_told(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES) as station:
        car, answer = await discovery(station, ServiceScope="garage")
        assert listed(answer) == [60_001]
        assert (await car.ask(iso2.ServiceDetailReq(ServiceID=3))).ResponseCode == "OK"


async def test_nothing_but_charging_without_tls(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES, provisioning={"install": True}) as station:
        car, answer = await discovery(station, tls=False)
        assert answer.ServiceList is None
        assert (await car.ask(iso2.ServiceDetailReq(ServiceID=3))).ResponseCode == "FAILED_ServiceIDInvalid"


@pytest.mark.parametrize("number", [2, 4, 60_002, 65_535])
async def test_details_of_what_is_not_offered(certificates: Path, number: int) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES) as station:
        car, _ = await discovery(station)
        assert (await car.ask(iso2.ServiceDetailReq(ServiceID=number))).ResponseCode == "FAILED_ServiceIDInvalid"
        assert await car.gone()


@pytest.mark.parametrize(
    ("chosen", "code", "told"),
    [
        ([(1, None)], "OK", []),
        ([(1, None), (3, 4)], "OK", [(3, "InternetAccess", 4)]),
        ([(3, 3), (1, None), (60_001, None)], "OK", [(3, "InternetAccess", 3), (60_001, "Parking", None)]),
        ([(1, None), (3, 5)], "FAILED_ServiceSelectionInvalid", None),
        ([(1, None), (60_001, 2)], "FAILED_ServiceSelectionInvalid", None),
        ([(1, None), (2, 1)], "FAILED_ServiceSelectionInvalid", None),
        ([(1, None), (4, None)], "FAILED_ServiceSelectionInvalid", None),
        ([(3, 4)], "FAILED_NoChargeServiceSelected", None),
    ],
)
async def test_a_selection(
    certificates: Path, chosen: list[tuple[int, int | None]], code: str, told: list[tuple[int, str, int | None]] | None
) -> None:
    async with ac_bench(certificates=certificates, services=SERVICES) as station:
        car, _ = await discovery(station)
        assert (await car.ask(selection(*chosen))).ResponseCode == code
        said = [facts["selected"] for facts in station.charger.said("services")]
        assert [[(each.id, each.name, each.parameter_set) for each in one] for one in said] == (
            [] if told is None else [told]
        )
        await car.close()


async def test_contract_is_neither_offered_nor_accepted_without_tls(certificates: Path) -> None:
    contract = car1(certificates)
    async with ac_bench(certificates=certificates) as station:
        car, answer = await discovery(station, tls=False)
        assert answer.PaymentOptionList.PaymentOption == [iso2.PaymentOption.ExternalPayment]
        await car.close()
        await station.ended("gone")
        car = await station.car()
        route = with_contract(AC, contract)
        await walk(car, station.charger, route, "ServiceOrPayment again")
        step = dict(route)["ServiceOrPayment again"]
        assert (await step(car, station.charger)).ResponseCode == "FAILED_PaymentSelectionInvalid"


async def test_free_charging_is_told_and_needs_nobody(certificates: Path) -> None:
    """A free station that lets everybody charge by itself: nobody is asked."""
    async with ac_bench(certificates=certificates, authorization={"external": "local"}) as station:
        assert station.charger.setup is not None
        station.charger.setup = msgspec.structs.replace(station.charger.setup, free=True)
        station.charger.card = "none"
        car, answer = await discovery(station, tls=False)
        assert answer.ChargeService.FreeService
        await car.ask(selection((1, None)))
        assert (await car.ask(iso2.AuthorizationReq())).EVSEProcessing == "Finished"
        assert station.charger.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"internet": ["gopher"]},
        {"internet": ["http", "http"]},
        {"own": [PARKING | {"id": 3}]},
        {"own": [PARKING, PARKING]},
        {"own": [PARKING | {"id": 60_001 + number} for number in range(7)]},
        {"own": [PARKING | {"name": ""}]},
        {"own": [PARKING | {"sets": [{"id": 1, "parameters": {}}]}]},
        {"own": [PARKING | {"sets": [{"id": 1, "parameters": {"Hours": 2**31}}]}]},
        {"own": [PARKING | {"sets": [{"id": 1, "parameters": {"Hours": 1.5}}]}]},
        {"own": [PARKING | {"sets": [{"id": 1, "parameters": {"A": 1}}] * 2}]},
    ],
)
def test_a_configuration_that_cannot_be_offered(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, config.ServiceSettings)
