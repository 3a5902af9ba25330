"""Pauses of a vehicle: how it falls asleep, what wakes it, and what it says when it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from lab.cases.host import Host, again, receive
from lab.cases.pixit import Pixit
from lab.cases.responses import POWER_W, Schedule
from lab.cases.station_discovery import PLAIN, TLS
from lab.cases.vehicle import VehiclePeer, discovery
from lab.cases.vehicle_discovery import HURRIED, found
from lab.cases.vehicle_patterns import Check, Vehicle, vehicle
from lab.cases.verdict import Unclear, Unmet, demand
from v2g import units
from v2g.messages import iso2

Waking = Literal["called", "toggled", "idle first", "idle later"]
WAKINGS: tuple[Waking, ...] = ("called", "toggled", "idle first", "idle later")
IDLE: dict[str, tuple[Schedule, ...]] = {
    "idle first": (Schedule(steps=((0, 0.0), (3_600, POWER_W))),),
    "idle later": (Schedule(steps=((0, POWER_W), (1, 0.0), (3_600, POWER_W))),),
}
"""Schedules under which there is no power now, or in a second."""


def features(waking: Waking, *more: str) -> tuple[str, ...]:
    """What the vehicle has to do in a pause."""
    how = {"called": ("pauses", "called"), "toggled": ("pauses",)}.get(waking, ("rests",))
    return (*how, *more)


def put_to_sleep(host: Host, waking: Waking) -> None:
    """Offer the schedules that let the vehicle pause, where it does not do so by itself."""
    host.schedules = IDLE.get(waking, host.schedules)


async def pause(host: Host, waking: Waking) -> None:
    """Charge until the vehicle pauses; raises `Unclear`."""
    put_to_sleep(host, waking)
    request = await host.reach("SessionStop")
    if request.ChargingSession is not iso2.ChargingSession.Pause:
        raise Unclear(f"the vehicle does not pause, but says {request.ChargingSession}")
    try:
        host.reply()
        await host.left()
    except Unmet as error:
        raise Unclear(f"there was no pause: {error}") from error


async def resume(host: Host, waking: Waking) -> Host:
    """Pause, wake the vehicle and wait until it connects; raises `Unclear`."""
    peer = host.vehicle
    await pause(host, waking)
    before = len(peer.controls.signalled)
    peer.controls.signal("off")
    if waking == "called":
        peer.controls.signal("on")
    more = await again(peer, host.pixit)
    if waking != "called" and "CB" not in peer.controls.signalled[before:]:
        raise Unmet("the vehicle does not wake the station by its pilot")
    more.joins, more.session_id = True, host.session_id
    return more


def goes_on(
    stage: str, waking: Waking, *checks: Callable[[Host, Host, Any], None], more: tuple[str, ...] = ()
) -> Vehicle:
    """After a pause the vehicle says the right thing at a stage; checks see the session before it, too."""

    @vehicle("goes_on", *features(waking, *more))
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        later = await resume(host, waking)
        request = await later.reach(stage)
        for check in checks:
            check(host, later, request)

    return case


def now(check: Check) -> Callable[[Host, Host, Any], None]:
    """A check that looks at the session after the pause alone."""
    return lambda _, later, request: check(later, request)


def same_session(host: Host, later: Host, _: Any) -> None:
    """The id of the paused session is presented [V2G2-748]."""
    presented = later.heard[-1].session_id
    demand(presented == host.session_id, f"session id {presented.hex()} is not that of the paused session")


def same_choice(host: Host, _: Host, request: iso2.PaymentServiceSelectionReq) -> None:
    """The choice of before the pause is repeated [V2G2-740]."""
    before = next(each.body for each in host.heard if isinstance(each.body, iso2.PaymentServiceSelectionReq))
    demand(request == before, "another choice than before the pause")


def same_mode(host: Host, _: Host, request: iso2.ChargeParameterDiscoveryReq) -> None:
    """The same kind of charging, for no more energy than before [V2G2-743]."""
    before = _parameters(host)
    demand(request.RequestedEnergyTransferMode == before.RequestedEnergyTransferMode, "another mode than before")
    demand(_energy(request) <= _energy(before), "more energy is asked for than before the pause")


def sooner(host: Host, _: Host, request: iso2.ChargeParameterDiscoveryReq) -> None:
    """The departure is no later than it was [V2G2-742]."""
    before = _parameters(host).EVChargeParameter.DepartureTime
    after = request.EVChargeParameter.DepartureTime
    demand(before is not None and after is not None, "a DepartureTime is missing")
    demand((after or 0) <= (before or 0), f"DepartureTime {after} after {before}")


def _parameters(host: Host) -> iso2.ChargeParameterDiscoveryReq:
    found_ = next(each.body for each in host.heard if isinstance(each.body, iso2.ChargeParameterDiscoveryReq))
    if not isinstance(found_, iso2.ChargeParameterDiscoveryReq):
        raise Unclear("no parameters were told")
    return found_


def _energy(request: iso2.ChargeParameterDiscoveryReq) -> float:
    parameter = request.EVChargeParameter
    if isinstance(parameter, iso2.AC_EVChargeParameter):
        return units.number(parameter.EAmount)
    wanted = parameter.EVEnergyRequest if isinstance(parameter, iso2.DC_EVChargeParameter) else None
    return 0.0 if wanted is None else units.number(wanted)


def discovers(waking: Waking, security: int | None, told: int, *more: str) -> Vehicle:
    """After a pause the vehicle asks for the station anew."""

    @vehicle("discovers", *features(waking, "sdp", *more), hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        async with discovery(peer) as at:
            port = await peer.listen(tls=told == TLS)
            peer.controls.start(sdp_port=at.port)
            await found(at, security, told, port)
            host = await again(peer, pixit)
            await pause(host, waking)
            peer.controls.signal("off")
            if waking == "called":
                peer.controls.signal("on")
            await found(at, security, told, port)
            await Host(peer, pixit, await peer.comes()).negotiation()

    return case


SECURITIES: tuple[tuple[int | None, int, tuple[str, ...]], ...] = (
    (PLAIN, PLAIN, ()),
    (TLS, TLS, ("tls",)),
    (None, PLAIN, ("tls", "plain")),
    (TLS, TLS, ("tls",)),
)
"""What a vehicle asks for, what it is told, and what it has to be set to: in the order of the cases."""
