"""Times Josev's codec in Josev's own environment: messages as JSON on stdin, microseconds as JSON in the last line.

What is timed is what a Josev session pays: from its message objects to bytes and back.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from iso15118.shared.exi_codec import EXI
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
from iso15118.shared.messages.enums import Namespace
from iso15118.shared.settings import load_shared_settings

WARM_UP = 20


def timed(call: Callable[[], Any], calls: int) -> float:
    """Return the microseconds a call takes, the median of `calls` warm ones."""
    samples = []
    for _ in range(WARM_UP + calls):
        start = time.perf_counter_ns()
        call()
        samples.append((time.perf_counter_ns() - start) / 1e3)
    return statistics.median(samples[WARM_UP:])


def main() -> None:
    """Decode and encode each message; a message that comes back as other bytes is not timed."""
    order = json.load(sys.stdin)
    load_shared_settings()
    codec = EXI()
    codec.set_exi_codec(ExificientEXICodec())
    results: dict[str, dict[str, float | None]] = {}
    for name, (namespace, text) in order["messages"].items():
        data, place = bytes.fromhex(text), Namespace(namespace)
        decode = timed(partial(codec.from_exi, data, place), order["calls"])
        message = codec.from_exi(data, place)
        same = bytes(codec.to_exi(message, place)) == data
        encode = timed(partial(codec.to_exi, message, place), order["calls"]) if same else None
        results[name] = {"decode": decode, "encode": encode}
    # Josev logs to stdout as well, so that only the last line is the answer.
    print("\n" + json.dumps(results))


if __name__ == "__main__":
    main()
