"""`plugcharge demo`: one car charges on this machine, by four processes that know each other only by their protocols.

Broker, charger controller, SECC and EVCC run on the loopback interface on free ports, with certificates made for the
occasion; `--install` adds the operator's side. The exit status is 0 only if the session ended as planned, the
controller saw authorised limits and energy, and afterwards the limits are zero and the contactor is open.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from plugcharge import scene
from plugcharge.broker import start_broker
from plugcharge.ladder import Ladder
from v2g.signals import until_signal

STARTING_S = 15.0
ENDING_S = 5.0
SETTLING_S = 3.0
STEP_S = 0.02
BAD_ENDS = frozenset({"refused", "silence", "gone", "undecodable", "untrusted", "internal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be shown."""

    protocol: str
    energy: str
    payment: str
    charge_s: float
    install: bool = False
    card: str = "accept"
    faults: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Report:
    """What happened, as `--json` tells it."""

    choice: Choice
    vehicle: dict[str, Any] = field(default_factory=dict)
    limits: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    faults: set[str] = field(default_factory=set)
    charger: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def failures(self) -> list[str]:
        """Everything that is not as planned."""
        checks = {
            f"the vehicle: {self.vehicle.get('reason') or 'no result'}": bool(self.vehicle.get("ok")),
            "the controller never saw authorised limits above zero": any(scene.flowing(each) for each in self.limits),
            "no energy was metered": self.charger.get("energy_wh", 0) > 0,
            "the limits are not zero afterwards": bool(self.limits) and scene.zero(self.limits[-1]),
            "the contactor is not open afterwards": self.charger.get("contactor") == "open",
            f"payment was {self.vehicle.get('payment')}": self.vehicle.get("payment") == self.choice.payment,
            f"protocol was {self.vehicle.get('protocol')}": self.vehicle.get("protocol") == self.choice.protocol,
        }
        checks["no contract was installed"] = not self.choice.install or self.installed
        checks |= {f"the charger reports {kind}": False for kind in sorted(self.faults)}
        checks["the station ended the charge"] = self.vehicle.get("ended_by") != "station"
        ended = [f"the station: {event.get('reason', '')}" for event in self.events if event["kind"] in BAD_ENDS]
        return [*ended, *(failure for failure, holds in checks.items() if not holds)]

    @property
    def installed(self) -> bool:
        """Whether the vehicle got a contract in this session."""
        return (self.vehicle.get("provisioning") or {}).get("outcome") == "stored"

    def as_json(self) -> dict[str, Any]:
        """All of it for machines."""
        return {
            "ok": not self.failures,
            "failures": self.failures,
            "protocol": self.choice.protocol,
            "energy": self.choice.energy,
            "payment": self.choice.payment,
            "provisioning": self.vehicle.get("provisioning"),
            "messages": self.vehicle.get("messages", []),
            "limits": self.limits,
            "energy_wh": self.charger.get("energy_wh", 0.0),
            "events": self.events,
            "timings": self.timings,
        }


@click.command()
@click.option(
    "--protocol",
    type=click.Choice(["iso2", "din"]),
    default="iso2",
    show_default=True,
    help="ISO 15118-2, or DIN 70121 (DC with external payment, without TLS).",
)
@click.option("--energy", type=click.Choice(["ac", "dc"]), default="ac", show_default=True)
@click.option("--payment", type=click.Choice(["contract", "external"]), default="contract", show_default=True)
@click.option("--install", is_flag=True, help="The car has no contract: it gets one in the session, and pays with it.")
@click.option(
    "--charge-s", type=click.FloatRange(0.5, 3600), default=1.6, show_default=True, help="Length of the loop."
)
@click.option(
    "--card", type=click.Choice(["accept", "reject", "none"]), default="accept", help="The card reader's word."
)
@click.option("--fault", "faults", multiple=True, metavar="KIND@[charge+]S", help="Break the charger after S seconds.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write what happened here.")
def demo(file: Path | None, faults: tuple[str, ...], **choices: Any) -> None:
    """Charge a car on this machine and show what happens."""
    from secc.simulated.config import PlannedFault

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without arrows shows something else for them
    if choices["protocol"] == "din" and (choices["energy"], choices["payment"]) != ("dc", "external"):
        raise click.ClickException(
            "--protocol din: DIN 70121 knows neither AC nor contracts; add --energy dc --payment external"
        )
    if file is not None and not file.parent.is_dir():
        raise click.ClickException(f"--json {file}: there is no folder {file.parent}; make it first")
    try:
        if choices["install"] and choices["payment"] != "contract":
            raise click.UsageError("--install needs --payment contract")
        for fault in faults:
            PlannedFault.parse(fault)
        report = asyncio.run(until_signal(_play(Choice(faults=faults, **choices))))
    except ImportError as error:
        raise click.ClickException(f"{error}; install what the demo needs: pip install 'plugcharge[demo]'") from error
    except ValueError as error:
        raise click.ClickException(f"--fault: {error}") from error
    except (OSError, RuntimeError, TimeoutError) as error:
        raise click.ClickException(f"the demo could not run: {error}") from error
    if report is None:
        raise click.ClickException("interrupted; all processes have ended")
    if file is not None:
        file.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    Ladder().summary(report)
    if report.failures:
        sys.exit(1)


async def _play(choice: Choice) -> Report:
    """Run the processes through one session: four, and the operator's side where a contract is to be installed."""
    report = Report(choice=choice)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="plugcharge-demo-") as name:
        folder = Path(name)
        await _make_certificates(folder)
        async with contextlib.AsyncExitStack() as stack:
            broker, port = await start_broker()
            stack.push_async_callback(_end, broker)
            files = scene.write(folder, choice, broker_port=port, sdp_port=_free_udp_port())
            trouble = [word for fault in choice.faults for word in ("--fault", fault)]
            simulate = _running("secc", "simulate", "--config", files.simulator, "--card", choice.card, *trouble)
            controller = await stack.enter_async_context(simulate)
            station = await stack.enter_async_context(_running("secc", "run", "--quiet", "--config", files.secc))
            others = [broker, controller, station]
            if choice.install:
                where = ("--broker", f"127.0.0.1:{port}", "--evse", scene.EVSE, "--tree", files.tree)
                others.append(await stack.enter_async_context(_connected("secc", "simulate-backend", *where)))
            report.timings["started_s"] = round(time.perf_counter() - began, 3)
            await _while_alive(_drive(files.evcc, files.result, report), *others)
            await _settled(files.record)
            await _end(controller)
        _collect(files, report)
    report.timings["total_s"] = round(time.perf_counter() - began, 3)
    return report


async def _make_certificates(folder: Path) -> None:
    await _finish(await _start("pki", "init", "--tree", "iso2", "--out", folder / "certs", stdout=DEVNULL))


async def _drive(config: Path, result: Path, report: Report) -> None:
    """Let the car charge, and show its messages as they come."""
    process = await _start("evcc", "run", "--config", config, "--ladder", "--json", result, stdout=PIPE)
    ladder = Ladder()
    stream = process.stdout
    try:
        while stream is not None and (line := await stream.readline()):
            with contextlib.suppress(json.JSONDecodeError):
                ladder.show(json.loads(line))
        await process.wait()
    finally:
        ladder.close()
        await _end(process)
    report.timings |= ladder.timings()


async def _while_alive(work: Coroutine[Any, Any, None], *processes: Process) -> None:
    """Do the work while all processes live. Raises RuntimeError when one ends before it."""
    working = asyncio.ensure_future(work)
    ends = [asyncio.ensure_future(process.wait()) for process in processes]
    await asyncio.wait([working, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in (*ends, *([] if working.done() else [working])):
        task.cancel()
    await asyncio.gather(working, *ends, return_exceptions=True)
    if working.cancelled():
        raise RuntimeError("a process ended; its own message stands above")
    working.result()


async def _settled(record: Path) -> None:
    """Wait until the controller has received limits that authorise nothing, and has let the car go."""
    until = time.monotonic() + SETTLING_S
    while time.monotonic() < until:
        limits = [each["limits"] for each in scene.lines(record) if "limits" in each]
        states = [each["state"] for each in scene.lines(record) if "state" in each]
        if limits and scene.zero(limits[-1]) and states and scene.released(states[-1]):
            return
        await asyncio.sleep(STEP_S)


def _collect(files: scene.Files, report: Report) -> None:
    for line in scene.lines(files.record):
        if "limits" in line:
            report.limits.append(line["limits"])
        elif "event" in line:
            report.events.append(line["event"])
        elif "state" in line:
            report.faults.update(fault["kind"] for fault in line["state"]["faults"])
        elif "end" in line:
            report.charger = line["end"]
    with contextlib.suppress(OSError, json.JSONDecodeError):
        report.vehicle = json.loads(files.result.read_text(encoding="utf-8"))


# --- processes ------------------------------------------------------------------------------------------------------


async def _start(*words: str | Path, stdout: int | None = None) -> Process:
    """Start one of our own commands."""
    package, *arguments = words
    command: Sequence[str] = [sys.executable, "-m", str(package), *(str(each) for each in arguments)]
    return await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=stdout)


async def _finish(process: Process) -> None:
    if await process.wait() != 0:
        raise RuntimeError("a process failed; its own message stands above")


@contextlib.asynccontextmanager
async def _running(*words: str | Path) -> AsyncIterator[Process]:
    """Run one of our commands as long as the block lasts."""
    process = await _start(*words, stdout=DEVNULL)
    try:
        yield process
    finally:
        await _end(process)


@contextlib.asynccontextmanager
async def _connected(*words: str | Path) -> AsyncIterator[Process]:
    """Run one of our commands that tells when it has found the broker, as long as the block lasts."""
    process = await _start(*words, stdout=PIPE)
    try:
        async with asyncio.timeout(STARTING_S):
            if process.stdout is None or not await process.stdout.readline():
                raise RuntimeError("a process failed; its own message stands above")
        yield process
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """Ask a process to end, and insist when it does not."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(ENDING_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        return int(probe.getsockname()[1])
