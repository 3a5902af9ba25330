"""Systems under test that are wrong in one point, as the tester sees them: what a case must not let pass.

A wrong message is the right one changed on its way; a wrong timer is one that the real system was told to run at
another pace than the case believes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from lab.cases import station, vehicle
from lab.cases.certificates import Certificates
from lab.cases.peer import Line, Received
from lab.cases.registry import cases, catalogue, modes, pixit
from lab.cases.verdict import Verdict
from pki.store import Store
from tests.lab import vehicle_subject
from tests.lab.station_subject import station_subject
from v2g.messages import iso2

Change = Callable[[Received], Received]
MODULES = (station, vehicle)


@dataclass(frozen=True)
class Mutant:
    """What is wrong; every field left as it is changes nothing."""

    message: Change = lambda received: received
    clings: bool = False
    """It never closes TCP."""
    hasty: bool = False
    """It closes TCP at once, where the tester waits for that."""
    pace: Mapping[str, float] = field(default_factory=dict)
    """Timers by how much longer they really last."""
    datagram: Callable[[bytes | None], bytes | None] = lambda datagram: datagram
    """What becomes of the SDP datagrams that it sends."""
    header: Callable[[bytes], bytes] = lambda header: header
    """What becomes of the V2GTP headers that it sends."""
    payload: Callable[[bytes], bytes] = lambda payload: payload
    """What becomes of what stands behind them."""
    pilot: str = ""
    """The pilot state that it always shows."""


def wrong(**changes: Any) -> Change:
    """Change fields of messages by their type: `SessionSetupRes={"EVSEID": "?"}`."""

    def change(received: Received) -> Received:
        fields = changes.get(type(received.body).__name__)
        if fields is None:
            return received
        made = fields(received.body) if callable(fields) else msgspec.structs.replace(received.body, **fields)
        return received._replace(body=made)

    return change


def coded(code: str, *names: str) -> Change:
    """Let the responses of some types, or all negative ones, carry another code."""

    def change(received: Received) -> Received:
        body = received.body
        found = str(getattr(body, "ResponseCode", ""))
        if type(body).__name__ in names or (not names and found.startswith("FAILED")):
            body = msgspec.structs.replace(body, ResponseCode=iso2.ResponseCode(code))
        return received._replace(body=body)

    return change


def later(number: int, name: str, change: Change) -> Change:
    """Change messages of a type from one of them on."""
    seen = 0

    def changed(received: Received) -> Received:
        nonlocal seen
        if type(received.body).__name__ != name:
            return received
        seen += 1
        return change(received) if seen >= number else received

    return changed


def after(number: int, then: bytes | None) -> Callable[[bytes | None], bytes | None]:
    """Change datagrams after so many of them."""
    seen = 0

    def changed(datagram: bytes | None) -> bytes | None:
        nonlocal seen
        seen += 1
        return then if seen > number else datagram

    return changed


def anonymous(received: Received) -> Received:
    """A message of no session."""
    return received._replace(session_id=bytes(8))


def unsigned(received: Received) -> Received:
    """A message without its signature."""
    return received._replace(signature=None)


@contextmanager
def mutated(mutant: Mutant) -> Iterator[None]:
    """Let all systems under test be wrong meanwhile."""

    class WrongLine(Line):
        async def frame(self, within: float = 5.0) -> bytes:
            payload = await super().frame(within)
            self.header = mutant.header(self.header)
            return mutant.payload(payload)

        async def hear(self, within: float = 5.0) -> Received:
            return mutant.message(await super().hear(within))

        async def closed(self, within: float) -> bool:
            if mutant.hasty:
                return True
            return False if mutant.clings else await super().closed(within)

    async def discover(peer: Any, datagram: bytes, within: float) -> bytes | None:
        return mutant.datagram(await DISCOVER(peer, datagram, within))

    async def heard(at: Any, within: float) -> bytes | None:
        return mutant.datagram(await HEAR(at, within))

    with ExitStack() as stack:
        for module in MODULES:
            stack.enter_context(patch.object(module, "Line", WrongLine))
        stack.enter_context(patch.object(station.StationPeer, "discover", discover))
        stack.enter_context(patch.object(vehicle.Discovery, "hear", heard))
        if mutant.pilot:
            shown = property(lambda _: mutant.pilot)
            stack.enter_context(patch.object(vehicle_subject.OutingControls, "pilot", shown))
        yield


DISCOVER, HEAR = station.StationPeer.discover, vehicle.Discovery.hear


async def judge(name: str, mutant: Mutant, tree: Path, wallet: Path) -> Verdict:
    """Run a case against a system that is wrong."""
    declared = pixit(name, modes(name)[0], Certificates(Store(tree)))
    paces = {timer: factor * mutant.pace.get(timer, 1.0) for timer, factor in declared.hurry.items()}
    real = replace(declared, hurry=paces)
    with mutated(mutant):
        if catalogue()[name].station:
            async with station_subject(real, tree) as peer:
                return await cases()[name](peer, declared)
        async with vehicle_subject.vehicle_subject(real, tree, wallet) as other:
            return await cases()[name](other, declared)
