"""Pauses and renegotiations at a station, and the schedules that it offers before and after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from lab.cases.pixit import Pixit
from lab.cases.requests import power_delivery, session_stop
from lab.cases.station import PlannedStep, StationPeer, entries
from lab.cases.station_patterns import STRANGER, Station, refuse, station
from lab.cases.verdict import Unclear, Unmet, demand
from lab.cases.visitor import Visitor, visit
from v2g.messages import iso2

DEPARTURE_S = 7_200
A_DAY_S = 86_400
ROUNDING_S = 5
FEW = 2
When = Literal["first", "renegotiated", "resumed", "woken"]
PLAN = (PlannedStep(0, 9_000), PlannedStep(900, 6_000), PlannedStep(1_800, 9_000), PlannedStep(3_600, 7_000))


@dataclass(frozen=True, slots=True)
class Variant:
    """What a vehicle tells with its parameters, and whether the station has a tariff."""

    departs: bool = False
    tariff: bool = False
    few: bool = False
    """Whether the vehicle has room for two entries alone."""


async def pause(visitor: Visitor) -> None:
    """Charge and pause; raises `Unclear`."""
    await visitor.reach("SessionStop")
    try:
        answer = await visitor.ask(session_stop("Pause"))
        demand(str(answer.ResponseCode) == "OK", f"the pause was answered by {answer.ResponseCode}")
        demand(await visitor.line.closed(visitor.pixit.seconds("close")), "TCP stays open in a pause [V2G2-739]")
    except Unmet as error:
        raise Unclear(f"there was no pause: {error}") from error


async def call(peer: StationPeer) -> None:
    """Let the station wake its vehicle; raises `Unmet` where its pilot stays silent."""
    demand(await peer.controls.wake(), "the station does not wake the vehicle")


async def back(visitor: Visitor, session_id: bytes) -> Visitor:
    """The same vehicle on a new connection, which presents a session id."""
    await visitor.station.controls.free()
    again = await visit(visitor.station, visitor.pixit, *visitor.extra)
    again.session_id = session_id
    again.departure_s, again.entries = visitor.departure_s, visitor.entries
    return again


async def resume(visitor: Visitor, *, woken: bool = False) -> Visitor:
    """Pause and come back, perhaps because the station calls; raises `Unclear`."""
    await pause(visitor)
    if woken:
        await call(visitor.station)
    again = await back(visitor, visitor.session_id)
    try:
        await again.exchange("SupportedAppProtocol")
        answer = await again.exchange("SessionSetup")
    except Unmet as error:
        raise Unclear(f"it cannot come back: {error}") from error
    if str(answer.ResponseCode) != "OK_OldSessionJoined":
        raise Unclear(f"the session was not joined, but {answer.ResponseCode}")
    return again


def joined(*, woken: bool) -> Station:
    """The paused session goes on under its id [V2G2-463]."""

    @station("joined")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await pause(visitor)
        if woken:
            await call(peer)
        again = await back(visitor, visitor.session_id)
        await again.exchange("SupportedAppProtocol")
        answer = await again.exchange("SessionSetup")
        demand(str(answer.ResponseCode) == "OK_OldSessionJoined", f"it says {answer.ResponseCode}")
        demand(again.session_id == visitor.session_id, "it goes on under another id")

    return case


def not_joined(session_id: bytes = STRANGER, *, woken: bool) -> Station:
    """Another id than the paused one, or none, begins a new session [V2G2-756] [V2G2-750]."""

    @station("not_joined")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await pause(visitor)
        if woken:
            await call(peer)
        again = await back(visitor, session_id)
        await again.exchange("SupportedAppProtocol")
        answer = await again.exchange("SessionSetup")
        demand(str(answer.ResponseCode) == "OK_NewSessionEstablished", f"it says {answer.ResponseCode}")
        demand(again.session_id not in (visitor.session_id, session_id, bytes(8)), "the id is not a new one")

    return case


def offered_again(*, woken: bool) -> Station:
    """After a pause the same payment option and charge service are offered, and nothing else [V2G2-741]."""

    @station("offered_again")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        again = await resume(visitor, woken=woken)
        answer = await again.exchange("ServiceDiscovery")
        wanted = "Contract" if pixit.payment == "PnC" else "ExternalPayment"
        options = [str(each) for each in answer.PaymentOptionList.PaymentOption]
        demand(options == [wanted], f"{', '.join(options)} is offered after a pause, chosen was {wanted}")
        before = next(each.body for each in visitor.said if isinstance(each.body, iso2.ServiceDiscoveryRes))
        demand(answer.ChargeService == before.ChargeService, "the charge service is another one after the pause")

    return case


def schedules(variant: Variant, when: When = "first") -> Station:
    """The schedules fit what the vehicle told, at first, after a renegotiation, or after a pause."""
    features = ("tariffs",) if variant.tariff else ("plans",)

    @station("schedules", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        peer.controls.plan(PLAN, tariff=variant.tariff)
        visitor = await visit(peer, pixit)
        visitor.departure_s = DEPARTURE_S if variant.departs else None
        visitor.entries = FEW if variant.few else None
        chosen: int | None = None
        if when in ("resumed", "woken"):
            visitor = await resume(visitor, woken=when == "woken")
            await visitor.go_on("ServiceDiscovery", "ChargeParameterDiscovery")
            chosen = visitor.schedule
        else:
            await visitor.reach("ChargeParameterDiscovery")
            if when == "renegotiated":
                await visitor.go_on("ChargeParameterDiscovery", "Stop")
                await renegotiate(visitor)
        response = await visitor.exchange("ChargeParameterDiscovery")
        demand(str(response.ResponseCode) == "OK", f"it says {response.ResponseCode}")
        check_schedules(visitor, response, variant, when)
        demand(chosen in (None, visitor.schedule), "the schedule of before the pause is not offered again")
        await visitor.go_on("PowerDelivery" if pixit.energy == "AC" else "CableCheck", "Stop")

    return case


def check_schedules(visitor: Visitor, response: iso2.ChargeParameterDiscoveryRes, variant: Variant, when: When) -> None:
    """Demand of schedules what the vehicle may expect of them."""
    offered = entries(response)
    demand(1 <= len(offered) <= 3, f"{len(offered)} schedules are offered [V2G2-297]")
    if variant.few:
        demand(all(len(each) <= FEW for each in offered), "MaxEntriesSAScheduleTuple is not honoured")
    for each in offered:
        starts = [_start(entry) for entry in each]
        demand(starts[0] == 0 and starts == sorted(set(starts)), f"the entries start at {starts} [V2G2-327]")
        demand(all(_duration(entry) is None for entry in each[:-1]), "an inner entry has a duration [V2G2-331]")
        covered = starts[-1] + (_duration(each[-1]) or A_DAY_S)
        wanted = DEPARTURE_S if variant.departs else A_DAY_S
        if when in ("first", "renegotiated"):
            demand(covered >= wanted - ROUNDING_S, f"the schedule ends after {covered} s, due are {wanted} [V2G2-303]")
    schedules_ = response.SASchedules
    tuples = schedules_.SAScheduleTuple if isinstance(schedules_, iso2.SAScheduleList) else []
    if variant.tariff and when in ("first", "renegotiated"):
        demand(all(each.SalesTariff is not None for each in tuples), "no SalesTariff stands beside the schedule")
        if visitor.pixit.payment == "PnC":
            demand(visitor.said[-1].signature is not None, "the tariff is not signed [V2G2-905]")
    demand(bool(visitor.pmax_w), "the schedule allows no power")


def _start(entry: iso2.PMaxScheduleEntry) -> int:
    interval = entry.TimeInterval
    return interval.start if isinstance(interval, iso2.RelativeTimeInterval) else -1


def _duration(entry: iso2.PMaxScheduleEntry) -> int | None:
    interval = entry.TimeInterval
    return interval.duration if isinstance(interval, iso2.RelativeTimeInterval) else None


async def renegotiate(visitor: Visitor) -> Any:
    """Ask for new schedules out of the charge loop; raises `Unclear`."""
    try:
        answer = await visitor.ask(power_delivery(visitor.pixit.energy, "Renegotiate", visitor.schedule))
        demand(str(answer.ResponseCode) == "OK", f"Renegotiate was answered by {answer.ResponseCode}")
    except Unmet as error:
        raise Unclear(f"there was no renegotiation: {error}") from error
    return answer


def renegotiated(*, goes_on: bool) -> Station:
    """Renegotiate is taken out of the charge loop; after it power may be started anew [V2G2-813] [V2G2-842]."""

    @station("renegotiated")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach("Stop")

        answer = await visitor.ask(power_delivery(pixit.energy, "Renegotiate", visitor.schedule))
        demand(str(answer.ResponseCode) == "OK", f"Renegotiate was answered by {answer.ResponseCode}")
        response = await visitor.exchange("ChargeParameterDiscovery")
        demand(str(response.ResponseCode) == "OK", f"it goes on with {response.ResponseCode}")
        if goes_on:
            await visitor.go_on("PowerDelivery" if pixit.energy == "AC" else "CableCheck", "SessionStop")

    return case


def too_early(at: str) -> Station:
    """Renegotiate before anything was started: FAILED [V2G2-812]."""

    @station("too_early")
    async def case(peer: StationPeer, pixit: Pixit) -> None:

        visitor = await visit(peer, pixit)
        await visitor.reach(at)
        visitor.prepare(at)
        await refuse(visitor, power_delivery(pixit.energy, "Renegotiate", visitor.schedule), "FAILED")

    return case


def nobody(visitor: Visitor) -> None:
    """Nobody says whether this vehicle may charge."""
    visitor.station.controls.authorize("none")
