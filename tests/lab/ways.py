"""The ways that a vehicle goes through sessions at the station, so that every wait of the code is reached.

A way is a sequence of steps; what a step is about stands in the request that it sends.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from secc import api
from tests.certificates import Holder, car1
from tests.lab import injections
from tests.lab.stations import Session, Step
from tests.provisioning import installation, leaf, renewal, signed
from tests.secc import bench_din as din
from tests.secc import bench_requests as iso2
from tests.secc.bench_car import Car
from tests.secc.bench_charger import BenchCharger, Check
from v2g.messages.din import ContractAuthenticationReq
from v2g.messages.din import ServiceDiscoveryReq as DinDiscovery
from v2g.messages.iso2 import AuthorizationReq, ServiceDetailReq, ServiceDiscoveryReq

send, pilot = iso2.sends, iso2.in_pilot


def waiting_for_card(request: Any) -> Step:
    """Nobody has shown a card yet; the next one asked for is accepted."""

    async def step(car: Car, charger: BenchCharger) -> Any:
        charger.card = "none"
        answer = await car.ask(request)
        charger.card = "accepted"
        return answer

    return step


def tested(check: Check, request: Any) -> Step:
    """The isolation test goes so; a car that asks for it is in C."""

    async def step(car: Car, charger: BenchCharger) -> Any:
        charger.check = check
        charger.change(plug="C")
        answer = await car.ask(request)
        charger.cable_check = "passed"
        charger._checked = True
        charger.change(isolation="valid")
        return answer

    return step


def proof(contract: Holder) -> Step:
    """Sign the challenge."""

    async def step(car: Car, _charger: BenchCharger) -> Any:
        return await iso2.prove(car, contract)

    return step


OPENED: tuple[Step, ...] = (send(iso2.SETUP), send(ServiceDiscoveryReq()))
BY_CARD: tuple[Step, ...] = (
    *OPENED,
    send(ServiceDetailReq(ServiceID=1)),
    send(iso2.selection()),
    waiting_for_card(AuthorizationReq()),
    send(AuthorizationReq()),
)
AC: tuple[Step, ...] = (
    send(iso2.ac_parameters()),
    pilot("C", iso2.power("Start")),
    send(iso2.STATUS),
    send(iso2.STATUS),
    send(iso2.power("Renegotiate")),
    send(iso2.ac_parameters()),
    send(iso2.power("Start")),
    send(iso2.STATUS),
    pilot("B", iso2.power("Stop")),
    send(iso2.stop()),
)
TESTED: tuple[Step, ...] = (tested("hangs", iso2.cable_check()), send(iso2.cable_check()))
DC: tuple[Step, ...] = (
    send(iso2.dc_parameters()),
    *TESTED,
    send(iso2.precharge()),
    send(iso2.precharge()),
    send(iso2.power("Start")),
    send(iso2.demand()),
    send(iso2.demand()),
    send(iso2.power("Renegotiate")),
    send(iso2.dc_parameters()),
    *TESTED,
    send(iso2.precharge()),
    send(iso2.power("Start")),
    send(iso2.demand()),
    send(iso2.power("Stop")),
    pilot("B", iso2.welding()),
    send(iso2.welding()),
    send(iso2.stop()),
)
BY_DIN: tuple[Step, ...] = (
    send(din.SETUP),
    send(DinDiscovery()),
    send(din.selection()),
    waiting_for_card(ContractAuthenticationReq()),
    send(ContractAuthenticationReq()),
    send(din.dc_parameters()),
    tested("hangs", din.cable_check()),
    send(din.cable_check()),
    send(din.precharge()),
    send(din.precharge()),
    send(din.power("Start")),
    send(din.demand()),
    send(din.demand()),
    send(din.power("Stop")),
    pilot("B", din.welding()),
    send(din.welding()),
    send(din.stop()),
)


def by_contract(contract: Holder) -> tuple[Step, ...]:
    """Identified by a contract, with the answer to whether it may charge at once."""
    return (*OPENED, send(iso2.selection("Contract")), send(iso2.details(contract)), proof(contract))


def receipt(contract: Holder) -> Step:
    """Sign the reading that was just told."""

    async def step(car: Car, _charger: BenchCharger) -> Any:
        request, proof_ = injections.receipt(car, contract)
        return await car.ask(request, signature=proof_)

    return step


def planned(request: Any) -> Step:
    """The charger has made its plan by now."""

    async def step(car: Car, charger: BenchCharger) -> Any:
        charger.replan(api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=11_040)]))
        return await car.ask(request)

    return step


def starved(request: Any) -> Step:
    """The charger plans no energy for half an hour."""

    async def step(car: Car, charger: BenchCharger) -> Any:
        steps = [api.PlanStep(start_s=0, max_w=0), api.PlanStep(start_s=1_800, max_w=60_000)]
        charger.planner = lambda asked: api.Plan(id=asked.id, schedules=[api.PlannedSchedule(steps=steps)])
        return await car.ask(request)

    return step


def installing(certificates: Path, contract: Holder) -> tuple[Step, ...]:
    """A contract that is installed first."""
    vehicle = leaf(certificates, "oem-provisioning", "car1")

    async def install(car: Car, _charger: BenchCharger) -> Any:
        request = installation(vehicle)
        return await car.ask(request, signature=signed(request, vehicle.key))

    return (
        *OPENED,
        send(ServiceDetailReq(ServiceID=2)),
        send(iso2.selection("Contract", 1, 2)),
        install,
        send(iso2.details(contract)),
        proof(contract),
    )


def renewing(certificates: Path, contract: Holder) -> tuple[Step, ...]:
    """A contract that is renewed first."""
    old = leaf(certificates, "contract", "car1")

    async def renew(car: Car, _charger: BenchCharger) -> Any:
        request = renewal(old)
        return await car.ask(request, signature=signed(request, old.key))

    before = installing(certificates, contract)
    return (*before[:4], renew, *before[5:])


TITLES = (
    "iso2 AC external",
    "iso2 DC external",
    "iso2 AC contract, with receipts",
    "iso2 DC contract, with receipts",
    "iso2 AC installed contract",
    "iso2 AC renewed contract",
    "iso2 AC stopped before it began",
    "iso2 AC planned by the charger",
    "iso2 DC paused without energy",
    "iso2 AC paused and resumed",
    "din DC external",
    "din DC planned by the charger",
)


def sessions(certificates: Path) -> list[Session]:
    """All of them, as in `TITLES`; the plainest come first."""
    contract = car1(certificates)
    paid, receipted = by_contract(contract), receipt(contract)
    unused, paused = (AC[0], send(iso2.power("Stop")), AC[-1]), (*AC[:-1], send(iso2.stop("Pause")))
    card, pnc = partial(Session, standard=ISO2), partial(Session, standard=ISO2, contract=True)
    provisioning = {"provisioning": {"install": True, "update": True}}
    plan, receipts = {"plan": {"source": "charger"}}, {"receipts": {"every_s": 60}}
    starving = (starved(iso2.dc_parameters()), send(iso2.power("Stop")), pilot("B", iso2.stop("Pause")))
    made = [
        card(energy="AC", steps=(*BY_CARD, *AC)),
        card(energy="DC", steps=(*BY_CARD, *DC)),
        pnc(energy="AC", steps=(*paid, *AC[:3], receipted, *AC[3:]), settings=receipts),
        pnc(energy="DC", steps=(*paid, *DC[:7], receipted, *DC[7:]), settings=receipts),
        pnc(energy="AC", steps=(*installing(certificates, contract), *unused), settings=provisioning),
        pnc(energy="AC", steps=(*renewing(certificates, contract), *unused), settings=provisioning),
        card(energy="AC", steps=(*BY_CARD, *unused)),
        card(energy="AC", steps=(*BY_CARD, AC[0], planned(iso2.ac_parameters()), *unused[1:]), settings=plan),
        card(energy="DC", steps=(*BY_CARD, *starving), settings=plan),
        card(energy="AC", steps=(*OPENED, *BY_CARD[3:4], *BY_CARD[5:], *AC), before=(*BY_CARD, *paused)),
        Session(standard=DIN, energy="DC", steps=BY_DIN),
        Session(
            standard=DIN, energy="DC", steps=(*BY_DIN[:6], planned(din.dc_parameters()), *BY_DIN[6:]), settings=plan
        ),
    ]
    return [replace(each, title=title) for each, title in zip(made, TITLES, strict=True)]
