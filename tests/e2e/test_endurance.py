"""Session after session in one SECC process: it grows no larger and keeps nothing of those that are over."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from evcc import client, config
from tests.brokers import eventually
from tests.e2e.bay import PATIENCE_S, Bay
from tests.e2e.conftest import opened
from tests.endurance import count

pytestmark = pytest.mark.asyncio(loop_scope="module")

SESSIONS = count(10, 1_000)
SETTLED = max(3, SESSIONS // 10)
"""After so many sessions everything has been loaded that is ever needed."""
GROWTH_BYTES = 2_000_000
REPORTS = 10


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bay(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    async with opened("mosquitto-3.1.1", "ac", tmp_path_factory.mktemp("bay"), certificates) as bay:
        yield bay


async def test_session_after_session(bay: Bay, capsys: pytest.CaptureFixture[str]) -> None:
    """Plug & Charge over TLS, with everything between plug and unplugged cable; the cars live in this process."""
    settings = config.load(bay.describe("endurance", "contract", "charge_s = 0.1"))
    secc = psutil.Process(bay.process("secc").pid)
    began, sizes, held = time.monotonic(), [], []
    for number in range(1, SESSIONS + 1):
        result = await client.charge(settings)
        assert result.ok, f"session {number}: {result.reason}"
        await _left(bay)
        sizes.append(secc.memory_info().rss)
        held.append((secc.num_fds(), secc.num_threads(), len(secc.net_connections())))
        if number % max(1, SESSIONS // REPORTS) == 0 and SESSIONS > REPORTS:
            with capsys.disabled():
                print(f"\n{number} sessions, {time.monotonic() - began:.0f} s, {sizes[-1] / 1e6:.1f} MB, {held[-1]}")
    grown = max(sizes[SETTLED:]) - sizes[SETTLED - 1]
    assert grown < GROWTH_BYTES, f"{grown} bytes more than after {SETTLED} sessions"
    assert held[-1] == held[SETTLED - 1], "file descriptors, threads and connections"


async def _left(bay: Bay) -> None:
    """Wait until nobody is plugged in, as the controller tells it, and forget what the witness heard."""

    def gone() -> bool:
        states = [payload for name, payload, _ in bay.peer.heard if name == "charger/state"]
        stages = [payload for name, payload, _ in bay.peer.heard if name == "secc/session"]
        return bool(states) and states[-1]["plug"] == "A" and bool(stages) and stages[-1]["stage"] == "idle"

    await eventually(gone, "the cable to be unplugged", PATIENCE_S)
    bay.peer.heard.clear()
    bay.peer.times.clear()
