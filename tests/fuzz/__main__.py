"""`python -m tests.fuzz --seconds 60`: fuzz every target so long, as many at a time as there are cores."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz.failures import FOLDER, command_of
from tests.fuzz.targets import TARGETS

SECONDS = 60
STATE = re.compile(r"#(\d+)\s+(?:INITED|DONE) +cov: (\d+)")


def fuzz(seconds: int, target: str) -> bool:
    """Fuzz one target and say how it went; tells whether nothing was found."""
    log = FOLDER / target / "log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *command_of(target).split()[1:], f"--seconds={seconds}"]
    print(f"{target}: begins", flush=True)
    with log.open("w", encoding="utf-8") as output:
        finished = subprocess.run(command, stdout=output, stderr=output, check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    states = STATE.findall(text)
    if finished.returncode or len(states) < 2:
        told = next((line for line in text.splitlines() if "fails, try again" in line), f"{target} fails: see {log}")
        print(told, flush=True)
        return False
    print(f"{target}: {states[-1][0]} inputs, branches covered {states[0][1]} -> {states[-1][1]}", flush=True)
    return True


def main() -> None:
    """Fuzz all targets; ends with 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each target")
    seconds = parser.parse_args().seconds
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(partial(fuzz, seconds), TARGETS))
    print(f"nothing was found; what was learnt is kept in {Path(FOLDER)}" if all(results) else "something was found")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
