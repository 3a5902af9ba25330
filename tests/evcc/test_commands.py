"""`evcc run` as a process: what goes to which stream, what a signal does, and what is found before the charge."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from evcc.commands import evcc
from tests.brokers import eventually
from tests.evcc.bench_station import ScriptedStation, scripted

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
PLAN = '[network]\nsecurity = "none"\n[plan]\npayment = "external"\nloop_s = 0.01\n'


@contextlib.asynccontextmanager
async def car(
    folder: Path, station: ScriptedStation, charge_s: float, *options: str, stderr: int = asyncio.subprocess.PIPE
) -> AsyncIterator[asyncio.subprocess.Process]:
    (folder / "evcc.toml").write_text(f"{PLAN}charge_s = {charge_s}\n", encoding="utf-8")
    command = ["-m", "plugcharge", "evcc", "run", "--connect", f"[::1]:{station.port}", *options]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Wait for the end; returns stdout and stderr."""
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return out.decode(), (err or b"").decode()


async def charging(station: ScriptedStation) -> None:
    await eventually(lambda: "ChargingStatus" in station.names, "the charge loop", PATIENCE_S)


async def test_a_summary_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    async with scripted("AC") as station, car(tmp_path, station, 0.2) as process:
        out, err = await said(process)
    assert process.returncode == 0
    assert out.startswith("charged ")
    assert out.count("\n") == 1
    assert err == ""  # no line before 30 s where nobody looks on


async def test_the_result_on_stdout(tmp_path: Path) -> None:
    async with scripted("AC") as station, car(tmp_path, station, 0.2, "--json", "-") as process:
        out, err = await said(process)
    assert json.loads(out)["ok"] is True
    assert err.startswith("charged ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_charge_politely(number: signal.Signals, tmp_path: Path) -> None:
    async with scripted("AC") as station, car(tmp_path, station, 60, "--json", "r.json") as process:
        await charging(station)
        began = time.monotonic()
        process.send_signal(number)
        out, err = await said(process)
        assert time.monotonic() - began < 2.0
        assert station.names[-2:] == ["PowerDelivery", "SessionStop"]
    assert (process.returncode, out, err) == (1, "failed: interrupted\n", "")
    result = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (result["ok"], result["reason"], result["ended_by"]) == (False, "interrupted", "vehicle")
    assert result["energy_wh"] > 0


async def test_a_line_per_second_on_a_terminal(tmp_path: Path) -> None:
    terminal, end = os.openpty()
    try:
        async with scripted("AC") as station, car(tmp_path, station, 2.6, stderr=end) as process:
            out, _ = await said(process)
        lines = os.read(terminal, 65_536).decode().splitlines()
    finally:
        os.close(terminal)
        os.close(end)
    assert out.startswith("charged ")
    assert len(lines) in (2, 3)
    assert lines[0].startswith("1 s: ChargingStatus, 11040 W, ")
    assert lines[1].startswith("2 s: ")


def test_a_result_that_cannot_be_written_is_found_before_the_charge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    ended = CliRunner().invoke(evcc, ["run", "--json", str(tmp_path / "r.json")])
    assert ended.exit_code == 1
    assert "r.json: it cannot be written; name another file" in ended.output


async def test_a_full_disk_is_said(tmp_path: Path) -> None:
    async with scripted("AC") as station, car(tmp_path, station, 0.1, "--json", "/dev/full") as process:
        out, err = await said(process)
    assert process.returncode == 1
    assert out.startswith("charged ")
    assert err == "Error: --json /dev/full: No space left on device; the result is lost\n"


@pytest.mark.parametrize("named", ['keylog = "keys.log"', 'folder = "captures"'])
def test_secrets_are_told_in_laboratories_alone(tmp_path: Path, named: str) -> None:
    file = tmp_path / "evcc.toml"
    file.write_text(f"{PLAN}[capture]\n{named}\n", encoding="utf-8")
    ended = CliRunner().invoke(evcc, ["run", "--config", str(file)])
    assert ended.exit_code == 1
    assert ended.output == f"Error: {file}: [capture]: whoever has these files reads every session: add --lab\n"
    assert [each.name for each in tmp_path.iterdir()] == ["evcc.toml"]
