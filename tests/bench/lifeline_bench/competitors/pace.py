"""How a competitor is asked: it says when it is ready, then answers each line with seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable


def serve(step: Callable[[], object], *, seconds: float = 0.3) -> None:
    """Answer each line with the seconds that one `step` took: the best of ten batches.

    The best, for whatever else the machine does only ever adds. seconds: for all batches.
    """
    count, took = 1, _batch(step, 1)
    while took < seconds / 20 and count < 1_000_000:
        count *= 2
        took = _batch(step, count)
    print("ready", flush=True)
    for _line in sys.stdin:
        print(min(_batch(step, count) for _ in range(10)) / count, flush=True)


def _batch(step: Callable[[], object], count: int) -> float:
    turns = range(count)
    begun = time.perf_counter()
    for _ in turns:
        step()
    return time.perf_counter() - begun
