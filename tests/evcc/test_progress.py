"""What a waiting person reads while a charge lasts."""

from __future__ import annotations

import asyncio
import re

from evcc import client
from evcc.config import EvccConfig
from evcc.progress import Progress
from evcc.vehicle import Vehicle
from tests.brokers import eventually
from tests.evcc.bench_station import charging, scripted
from tests.evcc.test_client import settings
from v2g.journal import Journal

LINE = re.compile(r"(\d+) s: (.+), (\d+) W, (\d+\.\d) Wh, SoC (\d+\.\d\d) %")


async def test_lines_while_energy_flows() -> None:
    lines: list[str] = []
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda *_: charging(most=10)
        result = await client.charge(settings(station, plan={"charge_s": 0.5}), progress=Progress(lines.append, 0.1))
    said = [match for line in lines if (match := LINE.fullmatch(line))]
    assert len(said) == len(lines)
    assert 2 <= len(lines) <= 6
    flowing = [match for match in said if match[2] == "ChargingStatus" and match[3] != "0"]
    assert {match[3] for match in flowing} == {"6900"}  # 3 x 230 V x 10 A
    energies = [float(match[4]) for match in said]
    assert energies == sorted(energies)
    assert 0 < energies[-1] <= result.energy_wh + 0.1


async def test_no_power_outside_the_loop_and_no_line_after_the_end() -> None:
    lines: list[str] = []
    vehicle, journal = Vehicle(EvccConfig()), Journal()
    vehicle.power_w = 5_000.0
    progress = Progress(lines.append, 0.01)
    journal.subscribe(progress.see)
    async with progress.shown(vehicle):
        for kind, facts, state in (
            ("sdp_request", {}, "looking for a station"),
            ("connected", {}, "connected"),
            ("request", {"name": "AuthorizationReq"}, "Authorization"),
            ("response", {"name": "AuthorizationRes"}, "Authorization"),
            ("request", {"name": "PowerDeliveryReq"}, "PowerDelivery"),
        ):
            journal.record(kind, **facts)
            lines.clear()
            await eventually(lambda: bool(lines), "a line")
            assert lines[0].startswith(f"0 s: {state}, 0 W, 0.0 Wh, SoC 40.00 %")
    lines.clear()
    await asyncio.sleep(0.05)
    assert lines == []
