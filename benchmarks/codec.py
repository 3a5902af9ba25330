"""Our EXI codec against Josev's: the same messages, the same machine, one run.

Both sides are timed from message object to bytes and back. Josev runs twice: as installed, and with its JVM tuned.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from v2g.protocols import schema

ROOT = Path(__file__).resolve().parents[1]
JOSEV = Path(os.environ.get("PLUGCHARGE_PEER") or ROOT / ".peer") / "bin" / "python"
TUNED = "-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
BATCH = 100  # one of our calls is too short for the clock
QUIET = {"LOG_LEVEL": "WARNING", "MESSAGE_LOG_JSON": "False", "MESSAGE_LOG_EXI": "False"}

SAP = ("sap", "urn:iso:15118:2:2010:AppProtocol")
ISO2 = ("iso2", "urn:iso:15118:2:2013:MsgDef")
# Taken from a session of Josev with itself: -2, DC, Plug & Charge.
MESSAGES = {
    "SupportedAppProtocolReq": (SAP, "8000ebab9371d34b9b79d189a98989c1d191d191818999d26b9b3a232b30020000040040"),
    "SupportedAppProtocolRes": (SAP, "80400040"),
    "CurrentDemandReq": (
        ISO2,
        "8098023b9fed0d254d8eded0d1001e01860021006101f4020414300f800030819006102802080640",
    ),
    "CurrentDemandRes": (
        ISO2,
        "8098023b9fed0d254d8eded0e00000002040c4001030c0040000310360100618560101050e80700c554b3132334531323334000400",
    ),
}

Timing = dict[str, Any]
"""`first`: the first call, `warm`: calls after it; milliseconds."""


def _ours(calls: int) -> dict[str, dict[str, Timing]]:
    results = {}
    for name, ((key, _), text) in MESSAGES.items():
        data, codec = bytes.fromhex(text), schema(key)
        decode = _timed(partial(codec.decode, data), calls)
        message = codec.decode(data)
        encode = _timed(partial(codec.encode, message), calls)
        if codec.encode(message) != data:
            raise SystemExit(f"{name} does not come back as the same bytes")
        results[name] = {"decode": decode, "encode": encode}
    return results


def _timed(call: Callable[[], object], calls: int) -> Timing:
    start = time.perf_counter_ns()
    call()
    first = (time.perf_counter_ns() - start) / 1e6
    for _ in range(BATCH):
        call()
    return {"first": first, "warm": [_batch(call) for _ in range(calls)]}


def _batch(call: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    for _ in range(BATCH):
        call()
    return (time.perf_counter_ns() - start) / 1e6 / BATCH


def _josev(calls: int, java_options: str) -> dict[str, dict[str, Timing]]:
    order = {"calls": calls, "messages": {name: (place[1], text) for name, (place, text) in MESSAGES.items()}}
    child = subprocess.run(
        [JOSEV, Path(__file__).parent / "peer" / "josev_codec.py"],
        input=json.dumps(order),
        env={**os.environ, **QUIET, "JAVA_TOOL_OPTIONS": java_options},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != 0:
        raise SystemExit(f"Josev's codec: {child.stderr.strip().splitlines()[-1:]}")
    results: dict[str, dict[str, Timing]] = json.loads(child.stdout.splitlines()[-1])
    return results


def _table(results: Mapping[str, Mapping[str, Mapping[str, Timing]]]) -> list[dict[str, Any]]:
    rows = []
    for name in MESSAGES:
        for direction in ("decode", "encode"):
            row: dict[str, Any] = {"message": name, "direction": direction, "bytes": len(MESSAGES[name][1]) // 2}
            for codec, measured in results.items():
                timing = measured[name][direction]
                row[codec] = {"median_ms": statistics.median(timing["warm"]), "first_ms": timing["first"]}
            for codec in results:
                row[codec]["ratio"] = row[codec]["median_ms"] / row["ours"]["median_ms"]
            rows.append(row)
    return rows


def _print(rows: list[dict[str, Any]], codecs: list[str]) -> None:
    heads = [f"{head:>13}" for codec in codecs for head in (f"{codec} ms", *(["ratio"] if codec != "ours" else []))]
    print(f"{'codec, median per call':34}{'bytes':>6}", *heads, sep="")
    for row in rows:
        cells = []
        for codec in codecs:
            cells.append(f"{row[codec]['median_ms']:13.4f}")
            if codec != "ours":
                cells.append(f"{row[codec]['ratio']:12.0f}x")
        print(f"{row['message'] + ' ' + row['direction']:34}{row['bytes']:6}", *cells, sep="")


@click.command()
@click.option("--calls", default=100, show_default=True, help="Calls per message and direction.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures to FILE.")
def main(calls: int, file: Path | None) -> None:
    """Time our codec and, where it is installed, Josev's."""
    results = {"ours": _ours(calls)}
    if JOSEV.exists():
        results["tuned"] = _josev(calls, TUNED)
        results["josev"] = _josev(calls, "")
    else:
        click.echo(f"no Josev in {JOSEV.parents[1]}: run `make provision` to compare with it", err=True)
    rows = _table(results)
    _print(rows, list(results))
    if file is not None:
        file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
