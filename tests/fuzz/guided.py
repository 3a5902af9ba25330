"""Fuzzing led by coverage: atheris mutates what reached new code, the code that is generated included.

Started through `tests.fuzz.codec` and `tests.fuzz.parsers`. Nothing of ours is imported before atheris can watch it.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.failures import FOLDER, again, command_of

LONGEST = 16_384
"""Bytes of the longest input: up to here things change, beyond they only repeat."""
SECONDS_EACH = 20
"""An input that takes so long is a hang."""
MOST_MEMORY = 1_024
"""MiB the process may have."""
RISE = 1.1
"""So much slower than the slowest judged so far an input has to be to be judged again in a clean process."""


def main(target: str, options: argparse.Namespace) -> None:
    """Fuzz a target, or check one input of it."""
    if options.input:
        _replay(target, options.input)
    else:
        Guided(target, options).run()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all targets share."""
    parser.add_argument("--runs", type=int, default=-1, help="stop after so many inputs")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations; the same inputs for the same seed")
    parser.add_argument("--seeds", type=int, default=sys.maxsize, help="begin with so many, not with all there are")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where inputs are kept (default {FOLDER})")
    parser.add_argument("--input", help="check this alone, without atheris: a file, or hex digits")


def _replay(target: str, given: str) -> None:
    try:
        data = bytes.fromhex(given)
    except ValueError:
        data = Path(given).read_bytes()
    importlib.import_module("tests.fuzz.targets").check(target, thorough=True)(data)
    print(f"{target}: {len(data)} bytes hold")


class Guided:
    """One run of one target."""

    def __init__(self, target: str, options: argparse.Namespace) -> None:
        self._target = target
        self._options = options
        self._folder = options.folder / target
        self._worst = 1.0

    def run(self) -> None:
        """Fuzz until the runs or the time are over; ends the process, with a code other than 0 after a failure."""
        atheris = importlib.import_module("atheris")
        with atheris.instrument_imports(include=["v2g"]):
            targets = importlib.import_module("tests.fuzz.targets")
            self._watch_generated_code(atheris)
        self._check = targets.check(self._target, suspect=self._judge)
        self._fill(targets.seeds(self._target))
        atheris.Setup(self._arguments(), self._one, custom_mutator=self._mutator(atheris))
        atheris.Fuzz()

    def _watch_generated_code(self, atheris: Any) -> None:
        """Have every function that the codec writes to read a class watched from its first call on."""
        library = importlib.import_module("v2g.exi.library").Library
        plain = library._compile

        def watched(itself: Any, text: str, name: str) -> Any:
            function = plain(itself, text, name)
            return atheris.instrument_func(function) if name.startswith("read") else function

        library._compile = watched

    def _fill(self, seeds: Sequence[bytes]) -> None:
        (self._folder / "corpus").mkdir(parents=True, exist_ok=True)
        step = -(-len(seeds) // self._options.seeds)
        for number, data in enumerate(seeds[::step]):
            (self._folder / "corpus" / f"seed-{number:04}").write_bytes(data)

    def _arguments(self) -> list[str]:
        limits = {
            "runs": self._options.runs,
            "max_total_time": self._options.seconds,
            "seed": self._options.seed,
            "max_len": LONGEST,
            "timeout": SECONDS_EACH,
            "rss_limit_mb": MOST_MEMORY,
            "artifact_prefix": f"{self._folder}/",
            "print_final_stats": 1,
        }
        return [self._target, *(f"-{name}={value}" for name, value in limits.items()), str(self._folder / "corpus")]

    def _mutator(self, atheris: Any) -> Any:
        """Tell what makes new inputs: half of them libFuzzer, half our own bendings, which know of bits."""
        bendings = importlib.import_module("tests.fuzz.mutations").BENDINGS

        def mutate(data: bytes, most: int, seed: int) -> bytes:
            random = Random(seed)
            if random.random() < 0.5:
                return bytes(atheris.Mutate(data, most))
            return bytes(random.choice(bendings)(random, data, [data])[:most])

        return mutate

    def _one(self, data: bytes) -> None:
        try:
            self._check(data)
        except BaseException:
            print(f"\n{again(self._target, data, self._options.folder)}", file=sys.stderr, flush=True)
            raise

    def _judge(self, data: bytes, times: float) -> None:
        """Check a slow input where nothing is watched, since watching is slow as well."""
        if times < self._worst * RISE:
            return
        self._worst = times
        path = self._folder / "suspect"
        path.write_bytes(data)
        command = [sys.executable, *command_of(self._target).split()[1:], "--input", str(path)]
        judged = subprocess.run(command, capture_output=True, text=True, check=False)
        if judged.returncode:
            raise AssertionError(judged.stderr)
