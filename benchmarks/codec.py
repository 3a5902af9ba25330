"""Our EXI codec against Josev's and against our own interpreter: the same messages, the same machine, one run.

Ours and Josev's are timed from message object to bytes and back, the interpreter (`v2g.exi.explain` and `compose`)
likewise. Josev runs twice: as installed, and with its JVM tuned. A figure is the median of many calls, warmed up.
`--check` fails when a target is missed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.messages import SAMPLES, Sample
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.protocols import schema

ROOT = Path(__file__).resolve().parents[1]
JOSEV = Path(os.environ.get("PLUGCHARGE_PEER") or ROOT / ".peer") / "bin" / "python"
TUNED = "-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
QUIET = {"LOG_LEVEL": "WARNING", "MESSAGE_LOG_JSON": "False", "MESSAGE_LOG_EXI": "False"}
DIRECTIONS = ("decode", "encode")
BATCH_S = 1e-3  # one of our calls is too short for the clock

OVER_JOSEV = 1_000
OVER_INTERPRETER = 4
OVER_INTERPRETER_MOST = {"CurrentDemandReq": 8, "CurrentDemandRes": 8}

Row = dict[str, Any]
"""One message in one direction: `bytes`, then microseconds by codec; None where a codec could not be asked."""


def _own(sample: Sample, rounds: int) -> dict[str, Row]:
    """Time our codec and the interpreter in turn, so that both meet the same other work."""
    codec, message = schema(sample.schema), sample.make()
    began = time.perf_counter_ns()
    data = codec.encode(message)
    middle = time.perf_counter_ns()
    if codec.decode(data) != message:
        raise SystemExit(f"{type(message).__name__} does not come back as it was")
    first = {"encode": middle - began, "decode": time.perf_counter_ns() - middle}
    code = codec.grammar.document.code(type(message))
    calls: dict[str, dict[str, Callable[[], object]]] = {
        "decode": {
            "ours": partial(codec.decode, data),
            "interpreter": lambda: Reading(codec.grammar, data).document(),
        },
        "encode": {
            "ours": partial(codec.encode, message),
            "interpreter": lambda: Writing(codec.grammar).document(code, message),
        },
    }
    if calls["encode"]["interpreter"]() != data:
        raise SystemExit(f"the interpreter writes another {type(message).__name__}")
    rows = {}
    for direction in DIRECTIONS:
        medians = _medians(calls[direction], rounds)
        rows[direction] = {"bytes": len(data), "hex": data.hex(), **medians, "ours first": first[direction] / 1e3}
    return rows


def _medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Microseconds per call: the median of `rounds` batches."""
    sizes = {name: _batch_size(call) for name, call in calls.items()}
    samples = {name: list[float]() for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(_batch(call, sizes[name]))
    return {name: statistics.median(each) for name, each in samples.items()}


def _batch_size(call: Callable[[], object]) -> int:
    _batch(call, 3)
    return max(1, round(BATCH_S * 1e6 / _batch(call, 3)))


def _batch(call: Callable[[], object], size: int) -> float:
    start = time.perf_counter_ns()
    for _ in range(size):
        call()
    return (time.perf_counter_ns() - start) / 1e3 / size


def _josev(messages: dict[str, tuple[str, str]], calls: int, java_options: str) -> dict[str, dict[str, Any]]:
    """Let Josev time (namespace, bytes in hex) in its own environment."""
    child = subprocess.run(
        [JOSEV, Path(__file__).parent / "peer" / "josev_codec.py"],
        input=json.dumps({"calls": calls, "messages": messages}),
        env={**os.environ, **QUIET, "JAVA_TOOL_OPTIONS": java_options},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode != 0:
        raise SystemExit(f"Josev's codec: {child.stderr.strip().splitlines()[-1:]}")
    results: dict[str, dict[str, Any]] = json.loads(child.stdout.splitlines()[-1])
    return results


def _measure(rounds: int, calls: int) -> dict[str, dict[str, Row]]:
    results = {name: _own(sample, rounds) for name, sample in SAMPLES.items()}
    if not JOSEV.exists():
        click.echo(f"no Josev in {JOSEV.parents[1]}: run `make provision` to compare with it", err=True)
        return results
    messages = {name: (SAMPLES[name].namespace, rows["decode"]["hex"]) for name, rows in results.items()}
    for codec, options in (("josev tuned", TUNED), ("josev", "")):
        for name, timings in _josev(messages, calls, options).items():
            for direction in DIRECTIONS:
                results[name][direction][codec] = timings[direction]
    return results


def _targets(name: str, rows: dict[str, Row]) -> Iterator[tuple[str, bool]]:
    """Tell each target of a message, and whether it is reached."""
    sample = SAMPLES[name]
    times = OVER_INTERPRETER_MOST.get(name, OVER_INTERPRETER)
    for direction, row in rows.items():
        yield f"{direction} {times} x the interpreter", row["interpreter"] >= times * row["ours"]
        if sample.loop and row.get("josev"):
            yield f"{direction} {OVER_JOSEV} x Josev", row["josev"] >= OVER_JOSEV * row["ours"]
    if sample.lists:
        yield "encode no slower than decode", rows["encode"]["ours"] <= rows["decode"]["ours"]


def _print(results: dict[str, dict[str, Row]], peers: list[str]) -> None:
    heads = [f"{codec:>13}{'ratio':>8}" for codec in peers]
    print(f"{'codec, median µs per call':36}{'bytes':>6}{'ours':>9}", *heads, sep="")
    for name, rows in results.items():
        for direction, row in rows.items():
            print(f"{name + ' ' + direction:36}{row['bytes']:6}{row['ours']:9.1f}", end="")
            for codec in peers:
                time_us = row.get(codec)
                print(f"{time_us:13.1f}{time_us / row['ours']:7.0f}x" if time_us else f"{'-':>21}", end="")
            print()


@click.command()
@click.option("--rounds", default=100, show_default=True, help="Batches of our calls per message and direction.")
@click.option("--calls", default=60, show_default=True, help="Calls of Josev per message and direction.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures to FILE.")
@click.option("--check", is_flag=True, help="Exit with 1 when a target is missed.")
def main(rounds: int, calls: int, file: Path | None, *, check: bool) -> None:
    """Time our codec, our interpreter and, where it is installed, Josev's codec."""
    results = _measure(rounds, calls)
    any_row = next(iter(results.values()))["decode"]
    _print(results, [codec for codec in ("interpreter", "josev tuned", "josev") if codec in any_row])
    verdicts = [(name, *target) for name, rows in results.items() for target in _targets(name, rows)]
    missed = [f"{name}: {what}" for name, what, reached in verdicts if not reached]
    print(f"targets: {len(verdicts) - len(missed)} of {len(verdicts)} reached", *missed, sep="\n  missed: ")
    if file is not None:
        targets = [{"message": name, "target": what, "reached": reached} for name, what, reached in verdicts]
        file.write_text(json.dumps({"microseconds": results, "targets": targets}, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if check and missed else 0)


if __name__ == "__main__":
    main()
