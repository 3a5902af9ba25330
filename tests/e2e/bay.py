"""One charge point as its real processes: a broker, a simulated controller, a SECC, and cars that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, Self

import aiomqtt

from tests.brokers import HOST, Peer, RunningBroker, eventually
from tests.interop.process import Process, Program

ROOT = Path(__file__).parents[2]
EVSE = "bay"
PATIENCE_S = 20.0
FLOWING_A = 5.0
SAMPLES = 5
Energy = Literal["ac", "dc"]
Payment = Literal["contract", "external"]
Protocol = Literal["iso2", "din"]

SIMULATOR = """\
evse = "{evse}"
energy = "{energy}"
card = "none"
speed = 5.0
record = "record.jsonl"
console = true
[broker]
port = {port}
version = "{version}"
"""

SECC = """\
[[evse]]
id = "{evse}"
interface = "lo"
sdp_port = {sdp_port}
[mqtt]
port = {port}
version = "{version}"
[tls]
required = {tls_required}
chain = "{certificates}/leaf/secc/evse1/chain.pem"
key = "{certificates}/leaf/secc/evse1/key.pem"
[trust]
contract = ["{certificates}/trust/mo.pem"]
"""

# A busy machine may take longer than the 250 ms of CurrentDemandReq; these tests are not about that.
EVCC = """\
[network]
interface = "lo"
sdp_port = {sdp_port}
security = "{security}"
[tls]
roots = ["{certificates}/trust/v2g.pem"]
[contract]
chain = "{certificates}/leaf/contract/car1/chain.pem"
key = "{certificates}/leaf/contract/car1/key.pem"
[plan]
protocols = ["{protocol}"]
energy = "{mode}"
payment = "{payment}"
{until}
loop_s = 0.05
[cable]
port = {port}
evse = "{evse}"
[timeouts]
CurrentDemandReq = 2.0
"""


class Witness(Peer):
    """A client that hears the whole tree and notes when (Unix time)."""

    def __init__(self, client: aiomqtt.Client, root: str) -> None:
        super().__init__(client, root)
        self.times: list[float] = []

    async def collect(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            name = str(message.topic).removeprefix(self._root)
            with contextlib.suppress(ValueError, RecursionError):
                payload = json.loads(message.payload)
                self.times.append(time.time())
                self.heard.append((name, payload, message.retain))

    def since(self, mark: int, topic: str) -> list[dict[str, Any]]:
        """All payloads on a topic after the first `mark` messages."""
        return [payload for name, payload, _ in self.heard[mark:] if name == topic]

    def events(self, mark: int, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.since(mark, "secc/event") if event["kind"] == kind]

    def when(self, mark: int, topic: str, **members: object) -> float:
        """The time of the first payload with these members after `mark`."""
        for at, (name, payload, _) in zip(self.times[mark:], self.heard[mark:], strict=True):
            if name == topic and all(payload.get(key) == value for key, value in members.items()):
                return at
        raise AssertionError(f"nothing on {topic} with {members}")


class Bay:
    """Use `async with`: all its processes end with the block."""

    def __init__(
        self,
        folder: Path,
        broker: RunningBroker,
        certificates: Path,
        energy: Energy,
        secc: str = "",
        *,
        tls_required: bool = True,
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.energy = energy
        self.cars = 0
        self.peer: Witness
        self._stack = contextlib.AsyncExitStack()
        self._ears = contextlib.AsyncExitStack()
        self._running: dict[str, Process] = {}
        self.sdp_port = free_udp_port()
        self._facts = {
            "evse": EVSE,
            "energy": energy,
            "mode": {"ac": "ac3", "dc": "dc"}[energy],
            "port": broker.port,
            "version": broker.settings.version,
            "sdp_port": self.sdp_port,
            "certificates": certificates,
            "tls_required": str(tls_required).lower(),
        }
        (folder / "simulator.toml").write_text(SIMULATOR.format(**self._facts), encoding="utf-8")
        (folder / "secc.toml").write_text(SECC.format(**self._facts) + secc, encoding="utf-8")

    async def __aenter__(self) -> Self:
        await self.listen()
        await asyncio.gather(self.start("simulator"), self.start("secc"))
        await self.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ears.aclose()
        await self._stack.aclose()

    # --- processes

    async def start(self, name: Literal["simulator", "secc"]) -> None:
        command = {"simulator": ("secc", "simulate"), "secc": ("secc", "run")}[name]
        await self._launch(name, *command, "--config", f"{name}.toml", "-v")

    async def _launch(self, name: str, *command: str, **how: Any) -> Process:
        program = Program(
            name=name,
            command=[sys.executable, "-m", *command],
            folder=self.folder,
            environment={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            **how,
        )
        self._running[name] = process = await self._stack.enter_async_context(Process(program))
        return process

    async def ready(self) -> None:
        """Wait until SECC and controller are there and see each other."""
        await self.peer.hears("secc/status", state="online")
        await self.peer.hears("charger/status", state="online")

    def process(self, name: str) -> Process:
        return self._running[name]

    async def kill(self, name: str) -> float:
        """End a process as a power cut would; returns the time of its end."""
        process = self.process(name)
        process.signal(signal.SIGKILL)
        at = time.time()
        await process.ended(PATIENCE_S)
        return at

    async def terminate(self, name: str, status: int = 0) -> float:
        """Ask a process to end; returns the seconds it took, and fails unless it ends with this status."""
        began = time.monotonic()
        process = self.process(name)
        os.kill(process.pid, signal.SIGTERM)
        ended = await process.ended(PATIENCE_S)
        process.require(ended == status, f"ended with status {ended}")
        return time.monotonic() - began

    async def listen(self) -> None:
        """Connect the witness, again after a broker's end."""
        await self._ears.aclose()
        version = aiomqtt.ProtocolVersion.V5 if self.broker.settings.version == "5" else aiomqtt.ProtocolVersion.V311
        client = await self._ears.enter_async_context(
            _connected(aiomqtt.Client(HOST, self.broker.port, protocol=version))
        )
        self.peer = Witness(client, f"plugcharge/v1/{EVSE}/")
        await self.peer.listen("#")
        self._ears.push_async_callback(_cancel, asyncio.create_task(self.peer.collect()))

    @property
    def mark(self) -> int:
        return len(self.peer.heard)

    async def console(self, line: str) -> None:
        """Tell the simulated controller something."""
        await self.process("simulator").told(line)

    async def operate(self, *options: str) -> None:
        """Let a simulated operator answer, instead of one that is there."""
        if "backend" in self._running and not self.process("backend").over:
            await self.kill("backend")
        tree, port, version = self._facts["certificates"], self.broker.port, self.broker.settings.version
        where = ("--broker", f"{HOST}:{port}", "--mqtt-version", version, "--evse", EVSE, "--tree", str(tree))
        backend = await self._launch("backend", "secc", "simulate-backend", *where, *options)
        await backend.says("connected to the broker", PATIENCE_S)

    # --- cars

    async def plug(
        self,
        payment: Payment = "contract",
        charge_s: float = 60.0,
        energy_wh: float | None = None,
        more: str = "",
        protocol: Protocol = "iso2",
        plan: str = "",
    ) -> Process:
        """Let a car come: it runs until it has the energy, or its time in the loop is over, or the session ends.

        `plan` are more lines of its [plan], `more` are tables at the end of its file.
        """
        if "car" in self._running and not self.process("car").over:
            await self.kill("car")
        self.cars += 1
        name = f"car{self.cars}"
        until = f"charge_s = {charge_s}" if energy_wh is None else f"energy_wh = {energy_wh}"
        self.describe(name, payment, f"{until}\n{plan}", protocol, more)
        command = ("evcc", "run", "--config", f"{name}.toml", "--json", f"{name}.json")
        self._running["car"] = car = await self._launch(name, *command)
        return car

    def describe(self, name: str, payment: Payment, plan: str, protocol: Protocol = "iso2", more: str = "") -> Path:
        """Write the configuration of a car; `plan` are lines of its [plan], `more` are tables at its end."""
        spoken = {"protocol": protocol, "security": "none" if protocol == "din" else "tls"}
        file = self.folder / f"{name}.toml"
        file.write_text(EVCC.format(**self._facts, **spoken, payment=payment, until=plan) + more, encoding="utf-8")
        return file

    async def charging(self) -> None:
        """Wait until current has flowed for long enough that the car, too, has noticed."""
        mark = self.mark
        car = self.process("car")

        def flows() -> bool:
            samples = self.peer.since(mark, "charger/measurement")
            flowed: bool = sum(each["current_a"] > FLOWING_A for each in samples) >= SAMPLES
            car.require(flowed or not car.over, "ended before it charged")
            return flowed

        await eventually(flows, "current", PATIENCE_S)

    async def plug_and_charge(self, payment: Payment = "contract", **plan: Any) -> Process:
        car = await self._plug_and_pay(payment, **plan)
        await self.charging()
        return car

    async def _plug_and_pay(self, payment: Payment = "contract", **plan: Any) -> Process:
        car = await self.plug(payment, **plan)
        if payment == "external":
            await self.asked()
            await self.console("card accept")
        return car

    async def asked(self) -> dict[str, Any]:
        """Wait for an authorization request; returns it."""
        mark = self.mark
        topic = "secc/authorization/request"
        await eventually(lambda: bool(self.peer.since(mark, topic)), topic, PATIENCE_S)
        return self.peer.since(mark, topic)[-1]

    async def left(self, within: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the car's own end; returns its result."""
        car = self.process("car")
        await car.ended(within)
        result: dict[str, Any] = json.loads((self.folder / f"{car.program.name}.json").read_text(encoding="utf-8"))
        return result

    async def charges(self, **plan: Any) -> None:
        """Let a car charge a little and leave content."""
        await self._plug_and_pay(energy_wh=1.0, **plan)
        result = await self.left()
        assert result["ok"], result["reason"]
        await self.safe()

    async def heard(self, mark: int, topic: str, **members: object) -> None:
        """Wait for any payload with these members after `mark`; others may come after it."""

        def said() -> bool:
            payloads = self.peer.since(mark, topic)
            return any(all(each.get(key) == value for key, value in members.items()) for each in payloads)

        await eventually(said, f"{topic} with {members}", PATIENCE_S)

    # --- what holds afterwards

    def record(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """What the simulated controller recorded of one kind: (Unix time, payload)."""
        text, _, _ = (self.folder / "record.jsonl").read_text(encoding="utf-8").rpartition("\n")
        lines = [json.loads(line) for line in text.splitlines()]
        return [(line["at"], line[kind]) for line in lines if kind in line]

    async def opened(self, at: float, within: float = 3.0) -> float:
        """Wait until the controller has recorded an open contactor after `at`; returns the seconds it took."""

        def opening() -> list[float]:
            return [when for when, state in self.record("state") if when >= at and state["contactor"] == "open"]

        await eventually(lambda: bool(opening()), f"contactor open, {within} s after {at}", within)
        return opening()[0] - at

    async def safe(self) -> None:
        """Wait until limits are zero, nothing is permitted, and the contactor is open."""
        await self.peer.hears("secc/limits", authorised=False, max_charge_w=0, max_current_a=0, direction="none")
        await self.peer.hears("secc/permit", contactor="open", power="off")
        await self.peer.hears("charger/state", contactor="open")

    def resumed(self, mark: int, at: float) -> bool:
        """Whether power was permitted or a contactor closed again since it was open after `at`."""
        recorded = [state["contactor"] for when, state in self.record("state") if when >= at]
        heard = [state["contactor"] for state in self.peer.since(mark, "charger/state")]
        ordered = [permit["contactor"] for permit in self.peer.since(mark, "secc/permit")]
        return any("closed" in after(levels, "open") for levels in (recorded, heard, ordered))

    async def retained(self, *topics: str) -> dict[str, dict[str, Any]]:
        """What a client that comes now finds retained."""
        async with aiomqtt.Client(HOST, self.broker.port) as client:
            late = Witness(client, self.peer._root)
            collecting = asyncio.create_task(late.collect())
            await late.listen(*topics)
            await eventually(lambda: {name for name, _, _ in late.heard} >= set(topics), f"retained {topics}")
            await _cancel(collecting)
        return {name: payload for name, payload, _ in reversed(late.heard)}


def after(levels: list[str], level: str) -> list[str]:
    """What follows the first occurrence of `level`."""
    return levels[levels.index(level) :] if level in levels else []


@contextlib.asynccontextmanager
async def _connected(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """A client whose broker may be gone when it leaves."""
    await client.__aenter__()
    try:
        yield client
    finally:
        with contextlib.suppress(aiomqtt.MqttError):
            await client.__aexit__(None, None, None)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        return int(probe.getsockname()[1])
