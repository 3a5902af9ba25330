"""What reading hostile bytes may cost: thread time in proportion to the bytes, memory under a constant."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

MILLISECONDS = 5.0
"""Thread time that every 4 kB of input may take, and any input."""
UNIT = 4_096
TIMES = 3
"""So many times in a row a suspect has to be slow: once may be the first use of its code, or the garbage collector."""
AT_REST = 0.39e-3
"""Seconds of thread time that `_pace` takes on the machine the limit was set on, with nothing beside it."""
PACES = 3
MOST_MEMORY = 8 << 20
"""Bytes that reading one input may hold at once; the largest input has 64 KiB."""

T = TypeVar("T")


class Costly(AssertionError):
    """An input costs more than it may: so many `times` as much."""

    def __init__(self, told: str, times: float) -> None:
        super().__init__(told, times)
        self.times = times

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.times:.1f} times too much"


def allowed(size: int) -> float:
    """Tell the thread time in seconds that an input of `size` bytes may take."""
    return MILLISECONDS / 1e3 * max(size, UNIT) / UNIT


def slowness() -> float:
    """Tell how much slower than at rest this machine is right now: what shares its cores takes from thread time too."""
    return max(1.0, statistics.median(_pace() for _ in range(PACES)) / AT_REST)


def _pace() -> float:
    """Time a fixed piece of work of the kind a codec does: shifts of long numbers, new objects."""
    number = int.from_bytes(bytes(range(256)) * 4)
    began = time.thread_time()
    _ = [(number >> place & 255, {"place": place}) for place in range(8_000, 0, -4)]
    return time.thread_time() - began


def timed(work: Callable[[bytes], T], data: bytes) -> T:
    """Do work; raises `Costly` if it is slow as often in a row as it counts, also for a machine as slow as it is."""
    most = allowed(len(data))
    seconds: list[float] = []
    while True:
        began = time.thread_time()
        result = work(data)
        taken = time.thread_time() - began
        if taken <= most or taken <= most * slowness():
            return result
        seconds.append(taken)
        if len(seconds) == TIMES:
            told = ", ".join(f"{each * 1e3:.1f}" for each in seconds)
            raise Costly(f"{len(data)} bytes take {told} ms of thread time", min(seconds) / most)


def weigh(work: Callable[[bytes], object], data: bytes) -> None:
    """Raise `Costly` if work holds too much memory at once."""
    tracemalloc.start()
    try:
        work(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MOST_MEMORY:
        raise Costly(f"{len(data)} bytes hold {peak >> 10} KiB at once", peak / MOST_MEMORY)
