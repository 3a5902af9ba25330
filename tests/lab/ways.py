"""The ways that a vehicle goes through sessions at the station, so that every wait of the code is reached.

A way is a sequence of steps; what a step is about stands in the request that it sends.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from tests.certificates import Holder
from tests.lab.stations import Session, Step
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


TITLES = (
    "iso2 AC external",
    "iso2 DC external",
    "iso2 AC contract",
    "iso2 DC contract",
    "iso2 AC stopped before it began",
    "din DC external",
)


def sessions(contract: Holder) -> list[Session]:
    """All of them, as in `TITLES`; the plainest come first."""
    paid = by_contract(contract)
    card, leaf = partial(Session, standard=ISO2), partial(Session, standard=ISO2, contract=True)
    made = [
        card(energy="AC", steps=(*BY_CARD, *AC)),
        card(energy="DC", steps=(*BY_CARD, *DC)),
        leaf(energy="AC", steps=(*paid, *AC)),
        leaf(energy="DC", steps=(*paid, *DC)),
        card(energy="AC", steps=(*BY_CARD, AC[0], send(iso2.power("Stop")), AC[-1])),
        Session(standard=DIN, energy="DC", steps=BY_DIN),
    ]
    return [replace(each, title=title) for each, title in zip(made, TITLES, strict=True)]
