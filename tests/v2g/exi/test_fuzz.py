"""Hostile bytes for every schema set: what holds for any input holds for these, and for each that once broke it.

`make endurance` tries a million in all, on every core.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.endurance import ENDURANCE, count
from tests.fuzz import targets
from tests.fuzz.corpus import seeds
from tests.fuzz.cost import MOST_MEMORY, Costly
from tests.fuzz.failures import again
from tests.fuzz.invariants import Broken, CodecInvariants, Verdict
from tests.fuzz.mutations import Mutations
from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.notes import Decoded
from v2g.messages.app_protocol import ResponseCode, SupportedAppProtocolRes
from v2g.protocols import SCHEMAS

INPUTS = count(10_000, 1_000_000) // len(SCHEMAS) + 1
CHUNK = 100
"""Inputs that are made of one seed."""
LEAST_SHARE = 0.02
"""Part of the inputs, at least, that is read, and that is refused; else the mutations are too wild or too tame."""
TOLD_EVERY = 10
"""Seconds between two lines of progress."""
REGRESSIONS = json.loads((Path(__file__).parents[2] / "vectors" / "regressions.json").read_text())


def fuzz(name: str, seed: int) -> Counter[type[Verdict]]:
    """Try the inputs of one chunk."""
    check = CodecInvariants(name)
    mutations = Mutations(name, Random(f"{name} {seed}"))
    for _ in range(CHUNK):
        data = mutations.input()
        try:
            check(data)
        except BaseException as error:
            error.add_note(again(name, data))
            raise
    return check.verdicts


def _fuzz(job: tuple[str, int]) -> Counter[type[Verdict]]:
    return fuzz(*job)


def everywhere(jobs: list[tuple[str, int]]) -> Iterator[Counter[type[Verdict]]]:
    """Do the jobs on every core."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        yield from pool.imap_unordered(_fuzz, jobs)


def told(name: str, done: Iterator[Counter[type[Verdict]]], jobs: int) -> Iterator[Counter[type[Verdict]]]:
    """Pass results on and say, now and then, how far it is."""
    last = time.monotonic()
    for number, verdicts in enumerate(done, 1):
        if time.monotonic() > last + TOLD_EVERY or number == jobs:
            last = time.monotonic()
            print(f"\n{name}: {number * CHUNK} of {jobs * CHUNK} inputs", end="", file=sys.stderr, flush=True)
        yield verdicts


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_input_breaks_what_must_hold(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [(name, seed) for seed in range(-(-INPUTS // CHUNK))]
    verdicts: Counter[type[Verdict]] = Counter()
    if ENDURANCE:
        with capsys.disabled():
            for each in told(name, everywhere(jobs), len(jobs)):
                verdicts += each
    else:
        for job in jobs:
            verdicts += fuzz(*job)
    assert min(verdicts[Decoded], verdicts[Undecodable]) > LEAST_SHARE * verdicts.total(), verdicts


@pytest.mark.parametrize("vector", REGRESSIONS, ids=[vector["found"] for vector in REGRESSIONS])
def test_what_was_found_once_is_mended(vector: dict[str, str]) -> None:
    targets.check(vector["target"], thorough=True)(bytes.fromhex(vector["hex"]))


# Planted defects: what must hold is seen when it does not

ANSWER = bytes.fromhex("80400040")


def _index_error(_schema: Schema, data: bytes) -> Decoded:
    raise IndexError(data[1000])


def _slow(schema: Schema, data: bytes) -> Decoded:
    until = time.thread_time() + 0.1
    while time.thread_time() < until:
        pass
    return _read(schema, data)


def _large(schema: Schema, data: bytes) -> Decoded:
    held = bytes(MOST_MEMORY + 1)
    return _read(schema, data[: len(held)])


def _forgetful(schema: Schema, data: bytes) -> Decoded:
    message = SupportedAppProtocolRes(ResponseCode=ResponseCode.Failed_NoNegotiation, SchemaID=len(data) % 3)
    return Decoded(message=message, notes=_read(schema, data).notes)


def _talkative(_schema: Schema, _data: bytes) -> Decoded:
    raise Undecodable("no" * 2_000)


def _lost(_schema: Schema, data: bytes) -> Decoded:
    raise Undecodable("lost", bit=8 * len(data) + 1)


_read = Schema.read


@pytest.mark.parametrize(
    ("read", "error", "told"),
    [
        (_index_error, IndexError, "range"),
        (_slow, Costly, "ms of thread time"),
        (_large, Costly, "KiB at once"),
        (_forgetful, Broken, "nothing is noted"),
        (_talkative, Broken, "4000 characters"),
        (_lost, Broken, "refused at bit"),
    ],
)
def test_a_planted_defect_is_found(
    read: Any, error: type[Exception], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = CodecInvariants("sap", thorough=True)
    check(ANSWER)
    monkeypatch.setattr(Schema, "read", read)
    with pytest.raises(error, match=told):
        check(ANSWER)


def test_mutations_are_the_same_for_the_same_seed() -> None:
    first, second, third = (Mutations("sap", Random(seed)) for seed in (1, 1, 2))
    inputs = [[source.input() for _ in range(20)] for source in (first, second, third)]
    assert inputs[0] == inputs[1] != inputs[2]
    assert not set(inputs[0]) <= set(seeds("sap"))
