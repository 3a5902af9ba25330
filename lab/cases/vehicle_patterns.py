"""What is done to a vehicle: the patterns of its cases, each for any stage of a session.

A vehicle that gives up signals B, opens its contactors and closes TCP, and sends nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Literal

import msgspec

from lab.cases import responses as say
from lab.cases.case import Case
from lab.cases.host import Host, again, receive, stage_of
from lab.cases.peer import stem
from lab.cases.pixit import Pixit
from lab.cases.station_patterns import EARLY
from lab.cases.vehicle import VehiclePeer
from lab.cases.verdict import Unmet, demand
from v2g.messages import iso2

Vehicle = Case[VehiclePeer]
Check = Callable[[Host, Any], None]
Preparation = Callable[[Host], None]
SHORT = ("Stop", "WeldingDetection", "SessionStop")
"""Stages that a vehicle comes to once it has charged enough."""
ALWAYS = ("FAILED", "FAILED_SequenceError", "FAILED_UnknownSession")
"""The codes that every response may carry."""
MESSAGE = {"message": 1 / 10}


def vehicle(
    pattern: str, *features: str, hurry: dict[str, float] | None = None
) -> Callable[[Callable[[VehiclePeer, Pixit], Awaitable[None]]], Vehicle]:
    """Make a case out of its steps."""
    return lambda steps: Case(pattern, steps, frozenset(features), hurry or {})


def nothing(_: Host) -> None:
    """Prepare nothing."""


def needs(stage: str, *features: str) -> tuple[str, ...]:
    """What a vehicle needs to come to a stage."""
    more = {
        "ServiceDetail": ("tls", "internet"),
        "CertificateInstallation": ("provisioning", "installs"),
        "CertificateUpdate": ("provisioning", "updates"),
        "Renegotiate": ("renegotiates",),
    }.get(stage, ("short",) if stage in SHORT else ())
    return (*features, *more)


async def at(peer: VehiclePeer, pixit: Pixit, stage: str, before: Preparation = nothing) -> tuple[Host, Any]:
    """Go to where a vehicle has sent the request of a stage and waits for the answer."""
    host = await receive(peer, pixit)
    if stage == "MeteringReceipt":
        meter(host)
    before(host)
    return host, await host.reach(stage)


def meter(host: Host, *, reading: int | None = 1_000, **more: Any) -> None:
    """Tell a reading in the charge loop, and want a receipt for it."""
    host.reading = iso2.MeterInfo(MeterID="M1", MeterReading=reading, **more)
    host.receipts = 1


def refused(stage: str, code: str, *features: str) -> Vehicle:
    """The station refuses: the vehicle ends the session [V2G2-735]."""

    @vehicle("vehicle_refused", *needs(stage, *features))
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host, request = await at(peer, pixit, stage)
        peer.controls.signal("off")
        host.say(msgspec.structs.replace(usual(host, request), ResponseCode=iso2.ResponseCode(code)))
        await host.left()

    return case


def usual(host: Host, request: Any) -> Any:
    """The usual response to any request, also to those whose right answer takes more."""
    if isinstance(request, iso2.SessionSetupReq):
        return say.session_setup()
    if isinstance(request, iso2.CertificateInstallationReq | iso2.CertificateUpdateReq):
        operator = host.pixit.held.service()
        held = host.pixit.held.vehicle()
        delivery = operator.deliver(EMAID, held.key.public_key())
        return delivery.installed() if isinstance(request, iso2.CertificateInstallationReq) else delivery.updated()
    return host.usual(request)


EMAID = "DEPCGC00000001V"


def unanswered(stage: str, *features: str) -> Vehicle:
    """No response comes: the vehicle waits as long as it has to, and no longer [V2G2-436]."""

    @vehicle(
        "vehicle_unanswered", *needs(stage, *features), hurry={"message": 1.0} if stage == "CurrentDemand" else MESSAGE
    )
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host, request = await at(peer, pixit, stage)
        await gives_up(host, pixit.waits("SupportedAppProtocol" if stage == "SupportedAppProtocol" else stem(request)))

    return case


async def gives_up(host: Host, most: float) -> None:
    """See the vehicle end the session when a time is over, not before."""
    clock = asyncio.get_running_loop()
    began, grace = clock.time(), host.pixit.seconds("close")
    demand(await host.line.closed(most + grace), f"TCP is still open after {most + grace:.3g} s")
    demand(clock.time() - began >= EARLY * most, f"the vehicle gave up after {clock.time() - began:.3g} s")
    host.safe()


def wrong_response(stage: str, *features: str) -> Vehicle:
    """A response of another type: the vehicle ends the session [V2G2-482]."""

    @vehicle("vehicle_wrong_response", *needs(stage, *features))
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host, request = await at(peer, pixit, stage)
        host.say(say.session_setup() if isinstance(request, iso2.SessionStopReq) else say.session_stop())
        await host.left()

    return case


def pilot_error(stage: str, state: Literal["E", "F"], *features: str) -> Vehicle:
    """The station signals E or F, and answers well 0.5 s later: the vehicle says no more [V2G2-737]."""

    @vehicle("pilot_error", *needs(stage, *features))
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host, request = await at(peer, pixit, stage)
        peer.controls.signal(state)
        await asyncio.sleep(0.1 * pixit.seconds("close"))
        host.say(usual(host, request))
        await host.left()

    return case


def asks(
    stage: str,
    *checks: Check,
    features: tuple[str, ...] = (),
    before: Preparation = nothing,
    then: tuple[str, ...] = (),
    occurrence: int = 1,
) -> Vehicle:
    """The request of a stage is right, and after its answer the vehicle goes on with one of those `then` due."""

    @vehicle("asks", *needs(stage, *features))
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        if stage == "MeteringReceipt" and host.reading is None:
            meter(host)
        before(host)
        request = await host.reach(stage, occurrence=occurrence)
        for check in checks:
            check(host, request)
        if then:
            host.reply()
            following = stage_of((await host.hear()).body)
            demand(following in then, f"{following} follows, not {' or '.join(then)}")

    return case


def endless(stage: str, timer: str, answer: Callable[[Any], Any], hurry: float) -> Vehicle:
    """It never gets ready: the vehicle asks again until its own time is over [V2G2-711] [V2G2-701] [V2G2-705]."""

    @vehicle("vehicle_endless", *needs(stage), hurry={timer: hurry})
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host, request = await at(peer, pixit, stage)
        clock, most = asyncio.get_running_loop(), pixit.seconds(timer)
        began, grace = clock.time(), pixit.seconds("close")
        turns = 0
        try:
            while clock.time() - began < most + grace:
                host.say(answer(request))
                turns += 1
                request = (await host.hear(grace + most)).body
                if stage_of(request) != stage:
                    break
        except Unmet as error:
            demand("closed" in str(error), str(error))
        else:
            demand(stage_of(request) == "SessionStop", f"it goes on with {stage_of(request)}")
            host.reply()
            await host.left()
        demand(turns > 1, "it never asks again")
        took = clock.time() - began
        demand(EARLY * most <= took <= most + grace, f"it gave up after {took:.3g} s, due are {most:.3g} s")
        host.safe()

    return case


def follows(wish: str, stage: str, features: tuple[str, ...] = (), *, then: str = "", **more: Any) -> Vehicle:
    """The station asks for something in the charge loop, and the vehicle does it by a PowerDelivery."""

    @vehicle("follows", *features)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        host.notification = wish
        if more.get("metered"):
            meter(host)
        await host.reach(LOOP[pixit.energy])
        try:
            request = await host.until("Stop", "Renegotiate")
        except Unmet as error:
            raise Unmet(f"the vehicle does not follow: {error}") from error
        demand(stage_of(request) == stage, f"it answers by {stage_of(request)}")
        demand(host.turns <= 0, "it did so before it was asked")
        if more.get("metered"):
            demand(any(isinstance(each.body, iso2.MeteringReceiptReq) for each in host.heard), "no receipt came")
        host.notification = "None"
        if then:
            host.reply()
            following = stage_of((await host.hear()).body)
            demand(following == then, f"{following} follows, not {then}")

    return case


LOOP = {"AC": "ChargingStatus", "DC": "CurrentDemand"}


def of_itself(stage: str, *features: str, metered: bool = False, then: str = "") -> Vehicle:
    """The vehicle itself wants new schedules, or a rest, out of the charge loop."""

    @vehicle("of_itself", *features)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        if metered:
            meter(host)
        await host.reach(stage)
        host.reply()
        following = stage_of((await host.hear()).body)
        demand(following == then, f"{following} follows, not {then}")
        if metered:
            demand(any(isinstance(each.body, iso2.MeteringReceiptReq) for each in host.heard), "no receipt came")

    return case


def leaves(
    kind: Literal["Terminate", "Pause"], *features: str, before: Preparation = nothing, welding: bool | None = None
) -> Vehicle:
    """The session ends as it was meant to: pilot B first, then SessionStop, then TCP closed by the vehicle."""
    more = features if {"pauses", "rests", "dismissed"} & set(features) else (*features, "short")

    @vehicle("leaves", *more)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        before(host)
        request = await host.reach("SessionStop")
        demand(str(request.ChargingSession) == kind, f"the vehicle says {request.ChargingSession}")
        demand(peer.controls.pilot == "B", f"the vehicle signals {peer.controls.pilot} [V2G2-913]")
        measured = any(isinstance(each.body, iso2.WeldingDetectionReq) for each in host.heard)
        demand(welding in (None, measured), f"welding detection: {measured}")
        await host.to_the_end()

    return case


def lasting(turns: int, *features: str) -> Vehicle:
    """Sessions with long charge loops, paused and gone on with."""

    @vehicle("vehicle_lasting", "sleeps", *features)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        await host.reach(LOOP[pixit.energy], occurrence=turns)
        peer.controls.rest()
        await host.to_the_end()
        more = await again(peer, pixit)
        more.joins = True
        await more.reach(LOOP[pixit.energy], occurrence=turns)

    return case


ENDINGS: dict[str, Callable[[str], Vehicle]] = {
    "M": unanswered,
    "W": wrong_response,
    "E": lambda stage: pilot_error(stage, "E"),
    "F": lambda stage: pilot_error(stage, "F"),
}
"""What else goes wrong at a stage besides a refusal."""


def failures(stage: str, first: int, *codes: str, order: str, family: str = "") -> Iterator[tuple[str, Vehicle]]:
    """All that goes wrong at a stage, by numbers of a family from the first one on: refusals, then others in order."""
    wrong = [*(refused(stage, code) for code in codes), *(ENDINGS[each](stage) for each in order)]
    for number, case in enumerate(wrong, first):
        yield f"{family or stage}_{number:03}", case
