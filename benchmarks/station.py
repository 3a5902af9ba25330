"""Our station as a car and a charger maker see it: start-up, memory, and the time to answer in the charge loop.

Broker, simulated controller, SECC and EVCC are processes of their own on the loopback interface, as in the demo.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import click
import psutil

from plugcharge import scene
from plugcharge.broker import start_broker

ROOT = Path(__file__).resolve().parents[1]
LOOP_S = 0.02
POLL_S = 0.1
READY_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One session to measure."""

    energy: str
    payment: str
    charge_s: float
    protocol: str = "iso2"
    install: bool = False


def _start(stack: AsyncExitStack, *words: str | Path) -> subprocess.Popen[bytes]:
    """Start one of our commands; it ends with the stack."""
    package, *arguments = words
    process = subprocess.Popen(
        [sys.executable, "-m", str(package), *(str(each) for each in arguments)],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(10)


async def _ended(process: Process) -> None:
    process.terminate()
    await process.wait()


async def _ready(port: int, began: float) -> float:
    """Seconds until the retained `secc/status` says online; the listener is bound before that is said."""
    async with asyncio.timeout(READY_S), aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"plugcharge/v1/{scene.EVSE}/secc/status")
        async for message in client.messages:
            if json.loads(bytes(message.payload or b"{}")).get("state") == "online":
                return time.perf_counter() - began
    raise RuntimeError("the broker closed before the SECC was ready")


async def _measure(choice: Choice) -> dict[str, Any]:
    """Run one session and measure the SECC in it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plugcharge-bench-")))
        _start(stack, "pki", "init", "--out", folder / "certs").wait()
        broker, port = await start_broker()
        stack.push_async_callback(_ended, broker)
        files = scene.write(folder, choice, broker_port=port, sdp_port=_free_port())
        plan = files.evcc.read_text(encoding="utf-8").replace("[plan]\n", f"[plan]\nloop_s = {LOOP_S}\n")
        files.evcc.write_text(plan, encoding="utf-8")
        _start(stack, "secc", "simulate", "--config", files.simulator)
        began = time.perf_counter()
        secc = _start(stack, "secc", "run", "--quiet", "--config", files.secc)
        ready_s = await _ready(port, began)
        evcc = _start(stack, "evcc", "run", "--config", files.evcc, "--json", files.result)
        memory, cpu = _watch(psutil.Process(secc.pid), evcc)
        result = json.loads(files.result.read_text(encoding="utf-8"))
        if not result["ok"]:
            raise RuntimeError(f"the session failed: {result['reason']}")
    loop = sorted(result["loop_ms"])
    return {
        "ready_s": round(ready_s, 3),
        "resident_mb": round(memory / 1e6, 1),
        "cpu_s": round(cpu, 2),
        "answers": len(loop),
        "median_ms": round(statistics.median(loop), 3),
        "p95_ms": round(loop[int(len(loop) * 0.95)], 3),
        "longest_ms": round(loop[-1], 3),
    }


def _watch(secc: psutil.Process, evcc: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Largest resident size of the SECC while the vehicle is there, and the CPU time it took."""
    largest, before = 0, sum(secc.cpu_times()[:2])
    while evcc.poll() is None:
        largest = max(largest, secc.memory_info().rss)
        time.sleep(POLL_S)
    return largest, sum(secc.cpu_times()[:2]) - before


def _free_port() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        return int(probe.getsockname()[1])


@click.command()
@click.option("--runs", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--charge-s", type=click.FloatRange(1, 600), default=5.0, show_default=True, help="Length of the loop.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all runs here.")
def main(runs: int, charge_s: float, file: Path | None) -> None:
    """Measure start-up, memory and answers of the SECC, -2 over TLS with a contract."""
    results: dict[str, list[dict[str, Any]]] = {}
    for energy in ("dc", "ac"):
        choice = Choice(energy=energy, payment="contract", charge_s=charge_s)
        results[energy] = [asyncio.run(_measure(choice)) for _ in range(runs)]
    click.echo(f"\nThe SECC as the vehicle and the board see it, median of {runs} runs")
    columns = list(results["dc"][0])
    click.echo(f"{'':24}" + "".join(f"{name:>14}" for name in columns))
    for energy, name in (("dc", "DC, CurrentDemandReq"), ("ac", "AC, ChargingStatusReq")):
        medians = [statistics.median(run[column] for run in results[energy]) for column in columns]
        click.echo(f"{name:24}" + "".join(f"{value:>14.5g}" for value in medians))
    if file is not None:
        file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
