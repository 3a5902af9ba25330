"""What is done to a station: the patterns of its cases, each for any stage of a session.

A refusal is one response of the type that belongs to the request, in its session, and TCP closed in time after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from lab.cases.case import Case
from lab.cases.pixit import Pixit
from lab.cases.station import StationPeer
from lab.cases.verdict import demand
from lab.cases.visitor import Visitor, visit
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.signature import sign

STRANGER = bytes.fromhex("0BADC0DE0BADC0DE")
EARLY = 0.9
"""How much of a timer has to have run before its end is one; clocks and machines differ."""
OTHERS: dict[str, Callable[[], Any]] = {
    "ServiceDiscovery": iso2.ServiceDiscoveryReq,
    "Authorization": iso2.AuthorizationReq,
}

Station = Case[StationPeer]
Check = Callable[[Visitor, Any], None]
Preparation = Callable[[Visitor], None]


def station(
    pattern: str, *features: str, hurry: dict[str, float] | None = None
) -> Callable[[Callable[[StationPeer, Pixit], Awaitable[None]]], Station]:
    """Make a case out of its steps."""
    return lambda steps: Case(pattern, steps, frozenset(features), hurry or {})


def nothing(_: Visitor) -> None:
    """Prepare nothing."""


async def refuse(visitor: Visitor, request: Any, *codes: str, session_id: bytes | None = None, **more: Any) -> Any:
    """Send a request that has to be refused by one of the codes, and see TCP closed."""
    signature = more.get("signature", visitor.sign(request))
    answer = await visitor.ask(request, session_id=session_id, signature=signature)
    found = str(answer.ResponseCode)
    demand(found in codes, f"{type(answer).__name__} says {found}, not {' or '.join(codes)}")
    await hang_up(visitor)
    return answer


async def hang_up(visitor: Visitor) -> None:
    """See TCP closed in time after a refusal."""
    within = visitor.pixit.seconds("close")
    demand(await visitor.line.closed(within), f"TCP was not closed within {within:.3g} s")


def sequence_error(
    at: str, instead: str = "ServiceDiscovery", *, features: tuple[str, ...] = (), skip: tuple[str, ...] = ()
) -> Station:
    """Another request comes than the one that is due [V2G2-538] [V2G2-539]."""

    @station("sequence_error", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, skip=skip)
        await visitor.reach(at)
        await refuse(visitor, OTHERS[instead](), "FAILED_SequenceError")

    return case


def unknown_session(at: str, *, features: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Station:
    """The right request carries another session id [V2G2-460]."""

    @station("unknown_session", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, skip=skip)
        await visitor.reach(at)
        visitor.prepare(at)
        await refuse(visitor, visitor.request(at), "FAILED_UnknownSession", session_id=STRANGER)

    return case


def silence(at: str, *, features: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Station:
    """The vehicle says nothing more; the sequence timeout ends it, neither sooner nor later [V2G2-443]."""

    @station("silence", *features, hurry={"sequence": 1 / 200})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, skip=skip)
        await visitor.reach(at)
        await runs_out(visitor, "sequence")

    return case


async def runs_out(visitor: Visitor, timer: str) -> None:
    """See TCP closed when a timer of the station runs out, which it does from now on."""
    most, clock = visitor.pixit.seconds(timer), asyncio.get_running_loop()
    began = clock.time()
    grace = visitor.pixit.seconds("close")
    demand(await visitor.line.closed(most + grace), f"TCP is open {most + grace:.3g} s after the last message")
    demand(clock.time() - began >= EARLY * most, f"TCP was closed {clock.time() - began:.3g} s after the last message")


def refused(
    at: str,
    change: Callable[[Visitor, Any], Any],
    *codes: str,
    features: tuple[str, ...] = (),
    before: Preparation = nothing,
) -> Station:
    """The right request with something in it that is wrong."""

    @station("refused", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        before(visitor)
        await visitor.reach(at)
        visitor.prepare(at)
        await refuse(visitor, change(visitor, visitor.request(at)), *codes)

    return case


def changed(**fields: Any) -> Callable[[Visitor, Any], Any]:
    """The same request with other fields."""
    return lambda _, request: msgspec.structs.replace(request, **fields)


def wrong_key(at: str, *codes: str, features: tuple[str, ...] = ()) -> Station:
    """A request signed by another key than the one its certificate holds."""

    @station("wrong_key", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach(at)
        request = visitor.request(at)
        await refuse(visitor, request, *codes, signature=visitor.sign(request, pixit.held.foreign()))

    return case


def altered(at: str, other: Callable[[Any], Any], *codes: str, features: tuple[str, ...] = ()) -> Station:
    """A request changed after it was signed: the signature is one over `other`, with the same id."""

    @station("altered", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach(at)
        request = visitor.request(at)
        holder = visitor.vehicle if isinstance(request, iso2.CertificateInstallationReq) else visitor.holder
        signature = sign([("id1", schema("iso2").encode_fragment(other(request)))], holder.key, "iso2")
        await refuse(visitor, request, *codes, signature=signature)

    return case


def answered(
    at: str,
    *checks: Check,
    features: tuple[str, ...] = (),
    before: Preparation = nothing,
    extra: tuple[str, ...] = (),
    skip: tuple[str, ...] = (),
    then: str = "",
    **more: Any,
) -> Station:
    """The right request at the right time is answered well, and what comes `then` is taken too.

    `more` are ways in which this vehicle differs, by attributes of `Visitor`; `ends` says that TCP is closed after it.
    """
    ends = more.pop("ends", False)

    @station("answered", *features)
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, *extra, skip=skip)
        for name, value in more.items():
            setattr(visitor, name, value)
        before(visitor)
        await visitor.reach(at)
        answer = await visitor.exchange(at)
        code = str(answer.ResponseCode)
        demand(code.startswith("OK"), f"{type(answer).__name__} says {code}")
        for check in checks:
            check(visitor, answer)
        if then:
            await visitor.go_on(then, _after(visitor, then))
        if ends:
            await hang_up(visitor)

    return case


def _after(visitor: Visitor, stage: str) -> str:
    names = visitor.course
    return [*names, ""][names.index(stage) + 1]


def ongoing(
    at: str, hinder: Preparation, *features: str, extra: tuple[str, ...] = (), may_finish: bool = False
) -> Station:
    """What is asked for never gets ready: Ongoing until the station's own time is over, then FAILED [V2G2-713].

    A station that `may_finish` can do without it, but has to do so in the same time [V2G2-712].
    """

    @station("ongoing", *features, hurry={"ongoing_secc": 1 / 200})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, *extra)
        await visitor.reach(at)
        hinder(visitor)
        request = visitor.request(at)
        clock, most = asyncio.get_running_loop(), pixit.seconds("ongoing_secc")
        began = clock.time()
        answer = await visitor.ask(request, signature=visitor.sign(request))
        while str(answer.ResponseCode) == "OK":
            if answer.EVSEProcessing is iso2.EVSEProcessing.Finished:
                demand(may_finish, "it finished all the same")
                return
            demand(clock.time() - began < most + pixit.seconds("close"), "it never comes to an end")
            await asyncio.sleep(most / 20)
            answer = await visitor.ask(visitor.again(at))
        demand(str(answer.ResponseCode) == "FAILED", f"it ends by {answer.ResponseCode}, not FAILED")
        demand(clock.time() - began >= EARLY * most, "it was given up too soon")
        await hang_up(visitor)

    return case


def without_pilot(at: str, *, features: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Station:
    """The control pilot is not in the state that a message needs: FAILED [V2G2-918] [V2G2-921]."""

    @station("without_pilot", *features, hurry={"pilot_decide": 1 / 20})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit, skip=skip)
        await visitor.reach(at)
        request, clock = visitor.request(at), asyncio.get_running_loop()
        over = clock.time() + pixit.seconds("pilot_decide") + pixit.seconds("close")
        answer = await visitor.ask(request)
        while str(getattr(answer, "EVSEProcessing", "")) == "Ongoing" and str(answer.ResponseCode) == "OK":
            demand(clock.time() < over, "it waits for the pilot for ever")
            await asyncio.sleep(pixit.seconds("pilot_decide") / 10)
            answer = await visitor.ask(request)
        demand(str(answer.ResponseCode) == "FAILED", f"{type(answer).__name__} says {answer.ResponseCode}, not FAILED")
        await hang_up(visitor)

    return case


def lasting(turns: int) -> Station:
    """Whole sessions, one after the other, each with many turns of its charge loop."""

    @station("lasting", hurry={"close": 1 / 10})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        loop = "ChargingStatus" if pixit.energy == "AC" else "CurrentDemand"
        for _ in range(turns):
            visitor = await visit(peer, pixit)
            await visitor.reach(loop)
            for _ in range(turns):
                demand(str((await visitor.exchange(loop)).ResponseCode) == "OK", "the charge loop was refused")
            await visitor.go_on("Stop", "SessionStop")
            await visitor.exchange("SessionStop")
            demand(await visitor.line.closed(pixit.seconds("close")), "TCP stays open after SessionStop")
            await peer.close()

    return case
