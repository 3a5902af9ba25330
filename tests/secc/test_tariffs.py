"""Sales tariffs: signed by the operator of the contract, handed on as they are or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from pki.keys import PrivateKey
from secc import api, tariffs
from secc.mqtt import parse
from tests.certificates import Holder, by_hand, car1
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, IDENTIFY, ac_parameters, value, walk, with_contract
from v2g.errors import Undecodable, Untrusted
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.signature import sign, verify

WAIT = "ChargeParameterDiscovery"


def operator_key(certificates: Path) -> PrivateKey:
    """The key of the mobility operator's Sub-CA 2."""
    key = serialization.load_pem_private_key((certificates / "ca" / "mo" / "private" / "sub2.key").read_bytes(), None)
    assert isinstance(key, PrivateKey)
    return key


def tariff(number: int = 1, *, name: str | None = None, entries: int = 2) -> iso2.SalesTariff:
    return iso2.SalesTariff(
        Id=f"tariff{number}" if name is None else name,
        SalesTariffID=number,
        SalesTariffDescription="night",
        NumEPriceLevels=2,
        SalesTariffEntry=[
            iso2.SalesTariffEntry(
                TimeInterval=iso2.RelativeTimeInterval(start=60 * entry),
                EPriceLevel=1 + entry % 2,
                ConsumptionCost=[
                    iso2.ConsumptionCost(
                        startValue=value(0, "W"),
                        Cost=[iso2.Cost(costKind=iso2.CostKind.relativePricePercentage, amount=80 + entry % 2)],
                    )
                ],
            )
            for entry in range(entries)
        ],
    )


def fragment(message: Any) -> bytes:
    return schema("iso2").encode_fragment(message)


def signature_over(key: PrivateKey, *signed: iso2.SalesTariff) -> Signature:
    return sign([(each.Id or "", fragment(each)) for each in signed], key, "iso2")


def schedules(*each: iso2.SalesTariff | bytes | None) -> list[api.PlannedSchedule]:
    return [
        api.PlannedSchedule(
            steps=[api.PlanStep(start_s=0, max_w=11_040)],
            tariff=fragment(one) if isinstance(one, iso2.SalesTariff) else one,
        )
        for one in each
    ]


@asynccontextmanager
async def at_the_offer(
    certificates: Path, planned: Sequence[api.PlannedSchedule], signature: bytes | None, *, pnc: bool = True
) -> AsyncIterator[tuple[Bench, Car]]:
    async with bench("AC", certificates=certificates, plan={"source": "backend"}) as station:
        station.charger.planner = lambda request: api.Plan(id=request.id, schedules=list(planned), signature=signature)
        car = await station.car(tls=True)
        route = with_contract(AC, car1(certificates)) if pnc else AC
        await walk(car, station.charger, route, WAIT)
        yield station, car


async def offer(car: Car, **changes: Any) -> tuple[Any, Signature | None]:
    """The answer to ChargeParameterDiscoveryReq, and the signature in its header."""
    car.send(car.encode(msgspec.structs.replace(ac_parameters(), **changes)))
    message = schema("iso2").decode(await car.read_payload())
    assert isinstance(message, iso2.V2G_Message)
    return message.Body.BodyElement, message.Header.Signature


def told(answer: Any) -> list[iso2.SalesTariff | None]:
    return [each.SalesTariff for each in answer.SASchedules.SAScheduleTuple]


def dropped(station: Bench) -> list[str]:
    return [each["reason"] for each in station.charger.said("event") if each["kind"] == "tariff_dropped"]


async def test_tariffs_and_their_signature_reach_the_vehicle_as_they_are(certificates: Path) -> None:
    key = operator_key(certificates)
    signed = signature_over(key, tariff(1), tariff(2))
    planned = schedules(tariff(1), None, tariff(2))
    async with at_the_offer(certificates, planned, fragment(signed)) as (station, car):
        answer, signature = await offer(car)
        assert told(answer) == [tariff(1), None, tariff(2)]
        assert signature == signed
        # What a vehicle does with it: the key of the issuer of its own contract.
        issuer = x509.load_der_x509_certificate(car1(certificates).chain[1]).public_key()
        elements = {
            each.Id: schema("iso2").fragment_forms(each) for each in told(answer) if each is not None and each.Id
        }
        assert verify(signature, elements, issuer, "iso2")
        assert dropped(station) == []
        published = station.charger.said("schedules")[-1]["schedules"]
        assert [each.tariff for each in published.offered] == [True, False, True]


async def test_the_signature_stands_in_no_other_answer(certificates: Path) -> None:
    signed = signature_over(operator_key(certificates), tariff())
    async with at_the_offer(certificates, schedules(tariff()), fragment(signed)) as (_, car):
        await offer(car)
        car.send(car.encode(iso2.SessionStopReq(ChargingSession=iso2.ChargingSession.Terminate)))
        message = schema("iso2").decode(await car.read_payload())
        assert isinstance(message, iso2.V2G_Message)
        assert message.Header.Signature is None


async def test_no_tariff_without_a_contract(certificates: Path) -> None:
    signed = signature_over(operator_key(certificates), tariff())
    async with at_the_offer(certificates, schedules(tariff()), fragment(signed), pnc=False) as (station, car):
        answer, signature = await offer(car)
        assert (told(answer), signature) == ([None], None)
        assert dropped(station) == []


async def test_a_vehicle_that_takes_fewer_entries_gets_no_tariff_it_cannot_hold(certificates: Path) -> None:
    signed = signature_over(operator_key(certificates), tariff(entries=20))
    async with at_the_offer(certificates, schedules(tariff(entries=20)), fragment(signed)) as (station, car):
        answer, signature = await offer(car, MaxEntriesSAScheduleTuple=12)
        assert (told(answer), signature) == ([None], None)
        assert len(dropped(station)) == 1


@pytest.mark.parametrize(("age_s", "holds"), [(55, True), (65, False)])
async def test_a_tariff_is_told_no_later_than_a_minute_after_its_plan(
    certificates: Path, age_s: float, holds: bool
) -> None:
    """Its times count from then, and nobody but the operator may move them."""
    signed = signature_over(operator_key(certificates), tariff())
    async with at_the_offer(certificates, schedules(tariff()), fragment(signed)) as (station, car):
        station.charger.plan_age_s = age_s
        answer, signature = await offer(car)
        assert told(answer) == [tariff() if holds else None]
        assert (signature is not None) == holds
        assert len(dropped(station)) == (0 if holds else 1)


@dataclass(frozen=True)
class Wrong:
    """A plan whose tariffs must not go out; made with the operator's key."""

    planned: Sequence[api.PlannedSchedule]
    signature: Callable[[PrivateKey], bytes | None] = field(default=lambda _: None)


def over(*signed: iso2.SalesTariff) -> Callable[[PrivateKey], bytes]:
    return lambda key: fragment(signature_over(key, *signed))


OTHER = by_hand()[0].key
WRONG = {
    "unsigned": Wrong(schedules(tariff())),
    "signed by another key": Wrong(schedules(tariff()), lambda _: fragment(signature_over(OTHER, tariff()))),
    "another tariff signed": Wrong(schedules(tariff()), over(tariff(entries=3))),
    "one of two signed": Wrong(schedules(tariff(1), tariff(2)), over(tariff(1))),
    "one too many signed": Wrong(schedules(tariff(1)), over(tariff(1), tariff(2))),
    "no Id": Wrong(schedules(msgspec.structs.replace(tariff(), Id=None)), over(tariff())),
    "the same Id twice": Wrong(schedules(tariff(1), tariff(2, name="tariff1")), over(tariff(1))),
    "the same SalesTariffID twice": Wrong(
        schedules(tariff(1), tariff(1, name="other")), over(tariff(1), tariff(1, name="other"))
    ),
    "no tariff": Wrong(schedules(fragment(iso2.MeterInfo(MeterID="M"))), over(tariff())),
    "too long": Wrong(schedules(bytes(api.EXI_LIMIT + 1)), over(tariff())),
    "a signature too long": Wrong(schedules(tariff()), lambda _: bytes(api.EXI_LIMIT + 1)),
    "no EXI": Wrong(schedules(b"\xff\xff"), over(tariff())),
    "no signature in the signature": Wrong(schedules(tariff()), lambda _: fragment(tariff())),
    "no EXI in the signature": Wrong(schedules(tariff()), lambda _: b"\x80"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_tariffs_that_do_not_hold_are_left_out_and_told(certificates: Path, wrong: Wrong) -> None:
    signature = wrong.signature(operator_key(certificates))
    async with at_the_offer(certificates, wrong.planned, signature) as (station, car):
        answer, header = await offer(car)
        assert answer.ResponseCode == "OK"
        assert set(told(answer)) == {None}
        assert header is None
        assert len(dropped(station)) == 1


def test_what_may_flow_holds_though_its_tariff_is_too_long() -> None:
    plan = api.Plan(id="1", schedules=schedules(bytes(api.EXI_LIMIT + 1)), signature=bytes(api.EXI_LIMIT + 1))
    assert parse(api.BACKEND_PLAN, msgspec.json.encode(plan)) == plan


@given(st.binary(min_size=1, max_size=200), st.binary(min_size=1, max_size=200))
def test_bytes_from_outside_end_in_a_named_error(one: bytes, other: bytes) -> None:
    plan = api.Plan(id="1", schedules=schedules(one), signature=other)
    with pytest.raises((Undecodable, Untrusted)):
        tariffs.read(plan, contract_of(by_hand_once()), 1_024)


_MADE: list[Holder] = []


def by_hand_once() -> Holder:
    if not _MADE:
        _MADE.append(by_hand()[0])
    return _MADE[0]


def contract_of(holder: Holder) -> Any:
    """As much of a contract as reading tariffs needs."""

    @dataclass(frozen=True)
    class Held:
        chain: Sequence[bytes]

    return Held(holder.chain)


async def test_the_largest_plan_of_tariffs_fits_a_frame(certificates: Path) -> None:
    """Three schedules of 1024 steps, each with the largest tariff a payload may carry."""
    key = operator_key(certificates)
    many = [tariff(number, entries=size_of_largest()) for number in (1, 2, 3)]
    planned = [
        msgspec.structs.replace(
            each, steps=[api.PlanStep(start_s=16_000_000 + at if at else 0, max_w=4_000 + at) for at in range(1_024)]
        )
        for each in schedules(*many)
    ]
    async with at_the_offer(certificates, planned, fragment(signature_over(key, *many))) as (station, car):
        answer, signature = await offer(car)
        assert dropped(station) == []
        assert told(answer) == many
        assert signature is not None


def size_of_largest() -> int:
    entries = 1
    while len(fragment(tariff(entries=entries + 20))) <= api.EXI_LIMIT and entries + 20 <= 1_024:
        entries += 20
    return entries


async def test_identification_waits_for_no_plan() -> None:
    """Nobody is asked before the vehicle says what it wants."""
    async with bench("AC", plan={"source": "backend"}) as station:
        await station.car_at(AC, IDENTIFY[-1][0])
        assert station.charger.plans_asked == []
