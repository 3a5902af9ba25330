"""The real station as a system under test: set up as a case needs it, with its timers as fast as the case says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.cases.pixit import Pixit
from lab.cases.station import PlannedStep, StationPeer
from pki.provisioning import ProvisioningService
from pki.store import Store
from secc import api
from tests.secc.bench import Bench, bench
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.signature import sign
from v2g.timing import Timer, Timing

CLOSING = {"close": ("close", "after_failed", "last_request")}
"""Timers of ours that run inside one of the standard."""
LONGEST_PLAN_S = 50.0
SLOW_S = 0.05


@dataclass(frozen=True, slots=True)
class Hurried(Timing):
    """A timing in which some timers are faster, each by a factor of its own."""

    factors: Mapping[str, float] = field(default_factory=dict)

    def lasts(self, timer: Timer) -> float:
        return timer.seconds * self.factors.get(timer.name, 1.0)


def hurried(factors: Mapping[str, float], timeouts: Mapping[str, float] | None = None) -> Timing:
    """A timing with faster timers, named as the attributes of `Timing`, or as in `CLOSING`."""
    rows = {each: factor for name, factor in factors.items() for each in CLOSING.get(name, (name,))}
    named = {getattr(Timing, each).name: factor for each, factor in rows.items()}
    return Hurried(timeouts=timeouts or {}, factors=named)


def set_up(features: frozenset[str], pixit: Pixit) -> dict[str, Any]:
    """The station's settings for what a case needs of it."""
    changes: dict[str, Any] = {}
    if "provisioning" in features:
        changes["provisioning"] = {"install": True, "update": True}
    if "internet" in features:
        changes.setdefault("services", {})["internet"] = ["http"]
    if "own" in features:
        own = {"id": 60_001, "name": "Own", "sets": [{"id": 1, "parameters": {"number": 1}}]}
        changes.setdefault("services", {})["own"] = [own]
    if "receipts" in features:
        changes["receipts"] = {"every_s": 1.0}
    if features & {"plans", "tariffs"}:
        changes["plan"] = {"source": "charger"}
    if "endless" in features:
        changes["plan"] = {"source": "charger", "wait_s": LONGEST_PLAN_S * pixit.hurry["ongoing_secc"]}
    if "asks" in features:
        changes["authorization"] = {"contract": "charger", "external_wait_s": pixit.seconds("ongoing_secc")}
    return changes


class BenchControls:
    """Implements `StationControls` at a bench."""

    def __init__(self, at: Bench, tree: Path) -> None:
        self._bench = at
        self._tree = tree

    @property
    def host(self) -> str:
        return "::1"

    @property
    def sdp_port(self) -> int:
        return self._bench.station.sdp_port

    def port(self, *, tls: bool) -> int | None:
        return self._bench.station.tls_port if tls else self._bench.station.tcp_port

    def client(self) -> ssl.SSLContext:
        return self._bench._client()

    def pilot(self, state: Literal["A", "B", "C", "D"]) -> None:
        self._bench.charger.change(plug=state)

    def link(self) -> None:
        charger = self._bench.charger
        charger.link_reported = True
        for charger.linked in (False, True):
            self._bench.station.reluctance()

    def authorize(self, word: Literal["accepted", "none"]) -> None:
        self._bench.charger.card = word
        self._bench.charger.report()

    def isolate(self, outcome: Literal["passes", "slow"]) -> None:
        charger = self._bench.charger
        charger.check = "passes" if outcome == "passes" else "hangs"
        if outcome == "slow":
            charger.breaks_at = None
            asyncio.get_running_loop().create_task(self._insulate())

    async def _insulate(self) -> None:
        charger = self._bench.charger
        await self._bench.until(lambda: charger.cable_check == "running")
        await asyncio.sleep(SLOW_S)
        charger.cable_check, charger._checked = "passed", True
        charger.change(isolation="valid")

    def plan(self, steps: Sequence[PlannedStep] | None, *, tariff: bool = False) -> None:
        if steps is None:
            self._bench.charger.planner = lambda _: None
        else:
            planned = [api.PlanStep(start_s=each.start_s, max_w=each.max_w) for each in steps]
            self._bench.charger.planner = lambda request: self._planned(request, planned, tariff=tariff)

    def _planned(self, request: api.PlanRequest, steps: list[api.PlanStep], *, tariff: bool) -> api.Plan:
        if not tariff:
            return api.Plan(id=request.id, schedules=[api.PlannedSchedule(steps=steps)])
        priced = sales_tariff()
        fragment = schema("iso2").encode_fragment(priced)
        signature = sign([("tariff1", fragment)], Store(self._tree).load("ca/mo/sub2").key, "iso2")
        return api.Plan(
            id=request.id,
            schedules=[api.PlannedSchedule(steps=steps, tariff=fragment)],
            signature=schema("iso2").encode_fragment(signature),
        )

    async def wake(self) -> bool:
        charger = self._bench.charger
        charger.recall = "wake_up"
        charger.report()
        with suppress(AssertionError):
            await self._bench.until(lambda: charger.said("wake_up") != [])
        return charger.said("wake_up") != []

    async def free(self) -> None:
        await self._bench.until(lambda: not self._bench.station.used)


def sales_tariff() -> iso2.SalesTariff:
    """A tariff of two levels."""
    entries = [
        iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=start), EPriceLevel=level)
        for start, level in ((0, 2), (1_800, 1))
    ]
    return iso2.SalesTariff(Id="tariff1", SalesTariffID=1, NumEPriceLevels=2, SalesTariffEntry=entries)


@asynccontextmanager
async def station_subject(pixit: Pixit, tree: Path) -> AsyncIterator[StationPeer]:
    """A station for one case."""
    features = pixit.features
    plain = "plain only" in features
    async with bench(
        pixit.energy,
        certificates=None if plain else tree,
        timing=hurried(pixit.hurry),
        **set_up(features, pixit),
    ) as at:
        charger = at.charger
        if "provisioning" in features:
            service = ProvisioningService(Store(tree))
            charger.backend = lambda request: api.BackendCertificate(
                id=request.id, status="accepted", exi=service.answer(request.exi)
            )
        only = {"external only": ["external"], "contract only": ["contract"]}
        for feature in features & only.keys():
            assert charger.setup is not None
            charger.setup = api.Setup(**{**_fields(charger.setup), "authorization": only[feature]})
        peer = StationPeer(controls=BenchControls(at, tree))
        try:
            yield peer
        finally:
            await peer.close()


def _fields(setup: api.Setup) -> dict[str, Any]:
    return {name: getattr(setup, name) for name in setup.__struct_fields__}
