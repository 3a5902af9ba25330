"""What reading hostile bytes may cost: thread time in proportion to the bytes, memory under a constant."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

MILLISECONDS = 5.0
"""Thread time that every 4 kB of input may take, and any input."""
UNIT = 4_096
TIMES = 3
"""So many times in a row a suspect has to be slow: once may be the first use of its code, or the garbage collector."""
MOST_MEMORY = 32 << 20
"""Bytes that reading one input may hold at once; the largest input has 64 KiB."""

Work = Callable[[bytes], object]


class Costly(AssertionError):
    """An input costs more than it may."""


def allowed(size: int) -> float:
    """Tell the thread time in seconds that an input of `size` bytes may take."""
    return MILLISECONDS / 1e3 * max(size, UNIT) / UNIT


def check_time(work: Work, data: bytes, took: float) -> None:
    """Do again what `took` too long, as often as it counts; raises `Costly` if it is slow every time."""
    most = allowed(len(data))
    seconds = [took]
    while seconds[-1] > most and len(seconds) < TIMES:
        began = time.thread_time()
        work(data)
        seconds.append(time.thread_time() - began)
    if seconds[-1] > most:
        told = ", ".join(f"{each * 1e3:.1f}" for each in seconds)
        raise Costly(f"{len(data)} bytes take {told} ms of thread time, more than {most * 1e3:.1f}")


def check_memory(work: Work, data: bytes) -> None:
    """Raise `Costly` if work holds too much memory at once."""
    tracemalloc.start()
    try:
        work(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MOST_MEMORY:
        raise Costly(f"{len(data)} bytes hold {peak >> 20} MiB at once, more than {MOST_MEMORY >> 20}")
