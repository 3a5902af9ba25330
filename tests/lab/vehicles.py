"""Sessions of the real vehicle at a scripted station, which at one request answers what a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from evcc import din as evcc_din
from evcc import iso2 as evcc_iso2
from evcc.provisioning import Provisioning
from evcc.trip import Trip
from evcc.vehicle import Vehicle
from evcc.wallet import Contract
from lab.standard.din import DIN
from lab.standard.sequence import END, Asked, Standard, VehicleFollower, name, words
from tests.evcc import bench_din, bench_station
from tests.evcc.bench_station import Script, ScriptedStation, agree, packed, running
from tests.evcc.test_iso2 import Plug, settings
from tests.lab.injections import DIALECTS
from tests.lab.waits import Wait, Waits
from v2g.errors import V2GError
from v2g.exi.message import Message
from v2g.journal import Journal
from v2g.link import EvccLink
from v2g.messages import din, iso2
from v2g.protocols import schema
from v2g.stream import TcpStream
from v2g.timing import Timing

DRIVES = {"iso2": evcc_iso2.drive, "din": evcc_din.drive}
PROMPT = {"CurrentDemandReq": 2.0}
"""A quarter of a second for an answer is too short where machines are busy."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One way of a vehicle through a standard; `answers` differ from what a station usually says."""

    title: str
    standard: Standard
    energy: Literal["AC", "DC"]
    answers: Mapping[str, Script] = field(default_factory=dict)
    contract: Contract | None = None
    provisioning: Provisioning | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    ends: type[V2GError] | None = None
    """What ends it, if not the plan."""

    @property
    def known(self) -> frozenset[str]:
        """What is known of the session before it begins."""
        return frozenset({"TLS" if self.pays else "plain"})

    @property
    def pays(self) -> bool:
        """Whether a contract pays, one that it has or one that it gets."""
        return self.contract is not None or self.provisioning is not None

    def scripts(self) -> dict[str, Script]:
        """What the station answers on this journey."""
        usual = bench_station.usual(self.energy) if self.standard.key == "iso2" else bench_din.usual()
        return {**usual, **self.answers}


class Prompter(ScriptedStation):
    """Answers by the script up to one request, that one by the given bytes, and the next one by hanging up."""

    def __init__(self, journey: Journey, at: int | None = None, prompt: bytes = b"") -> None:
        super().__init__(journey.energy, "din" if journey.standard is DIN else "iso2")
        self.answers = journey.scripts()
        self.negotiation = agree
        self.exchanges: list[tuple[Any, Any]] = []
        self.next = END
        self._at = at
        self._prompt = prompt

    def _answer(self, payload: bytes, writer: asyncio.StreamWriter) -> None:
        message = schema(self.standard).decode(payload)
        assert isinstance(message, iso2.V2G_Message | din.V2G_Message)
        request = message.Body.BodyElement
        assert request is not None
        place, turn = len(self.requests), sum(type(each) is type(request) for each in self.requests)
        self.requests.append(request)
        self.headers.append(message.Header)
        if self._at is not None and place > self._at:
            self.next = name(request)
            writer.close()
        elif place == self._at:
            writer.write(self._prompt)
        else:
            response = self.answers[type(request).__name__.removesuffix("Req")](request, turn)
            if isinstance(response, Message):
                response = packed(response)
            assert response is not None
            answer = schema(self.standard).decode(response[8:])
            assert isinstance(answer, iso2.V2G_Message | din.V2G_Message)
            self.exchanges.append((request, answer.Body.BodyElement))
            writer.write(response)


@dataclass(frozen=True, slots=True)
class Answered:
    """A wait of the vehicle on its journey: which request of it, where in the code, and the usual answer."""

    journey: Journey
    index: int
    wait: Wait
    exchanges: tuple[tuple[Any, Any], ...]
    """All up to this one, with the usual answer."""

    @property
    def request(self) -> Any:
        """What the vehicle asks here."""
        return self.exchanges[-1][0]

    @property
    def response(self) -> Any:
        """What it usually hears."""
        return self.exchanges[-1][1]

    @property
    def key(self) -> tuple[object, ...]:
        """Waits at the same place in the code, with the same request, are one; who pays matters to receipts alone.

        The answer that ends a repetition is another one than those before: most of what it says is not heard sooner.
        """
        receipts = any(word.startswith("ReceiptRequired=") for word in words(self.response))
        processing = getattr(self.response, "EVSEProcessing", None)
        return (self.wait.place, name(self.request), receipts and self.journey.pays, processing)

    def row(self, response: Message) -> Asked:
        """The line of the table for another answer here that is no failure."""
        follower = VehicleFollower(self.journey.standard, self.journey.known)
        for request, usual in self.exchanges[:-1]:
            follower.row(request, usual)
        return follower.row(self.request, response)

    def next(self, response: Message) -> tuple[set[str], set[str]]:
        """What may follow it, and what may by another reading."""
        row = self.row(response)
        return set(row.next.split()), set(row.contested.split())


async def drive(journey: Journey, station: Prompter, *, timing: Timing | None = None) -> V2GError | None:
    """Drive the session to its end, after which the plug must be safe; tell what ended it, if not the plan."""
    plug = Plug(station)
    planned = {"charge_s": 60, **journey.plan}
    if journey.pays:
        planned["payment"] = "contract"
    trip = Trip(
        vehicle=Vehicle(settings(journey.energy, **planned)),
        cable=plug,
        contract=journey.contract,
        provisioning=journey.provisioning,
    )
    async with running(station):
        stream = TcpStream(*await asyncio.open_connection("::1", station.port))
        if journey.pays:
            stream.facts = replace(stream.facts, tls="TLSv1.2")
        link = EvccLink(stream, Journal(), timing or Timing(timeouts=PROMPT))
        try:
            async with asyncio.timeout(10):
                await link.negotiate([DIALECTS[journey.standard.key]])
                await DRIVES[journey.standard.key](link, trip)
        except V2GError as error:
            return error
        finally:
            await link.close()
            plug.assert_safe()
            await station.left.wait()
    return None


async def answered(journey: Journey, waits: Waits) -> list[Answered]:
    """Drive all the way with the usual answers and note every wait on it."""
    waits.noted.clear()
    station = Prompter(journey)
    error = await drive(journey, station)
    assert type(error) is (journey.ends or type(None)), f"{journey.title}: {error}"
    assert len(waits.noted) == len(station.exchanges)
    return [
        Answered(journey, index, wait, tuple(station.exchanges[: index + 1])) for index, wait in enumerate(waits.noted)
    ]
