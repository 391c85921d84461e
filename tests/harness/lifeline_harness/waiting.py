"""Waiting for something to become true."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lifeline_harness.errors import WaitError

T = TypeVar("T")

STEP = 0.02

# Seconds that the running test has waited for each thing.
WAITED: defaultdict[str, float] = defaultdict(float)


@contextmanager
def noted(what: str) -> Iterator[None]:
    """Count the time in here as waiting for `what`."""
    begun = time.monotonic()
    try:
        yield
    finally:
        WAITED[what] += time.monotonic() - begun


def wait_until(
    what: str, probe: Callable[[], T | None], timeout: float, *, step: float = STEP
) -> T:
    """The first answer of `probe` that is neither None nor False. Times in seconds.

    Raises WaitError, naming `what`; what `probe` raises passes through.
    """
    end = time.monotonic() + timeout
    with noted(what):
        while True:
            # Asked once more after the end: a late wake-up is no failure.
            late = time.monotonic() >= end
            answer = probe()
            if answer is not None and answer is not False:
                return answer
            if late:
                raise WaitError(f"not within {timeout:g} s: {what}")
            time.sleep(step)
