"""A policy's file is written: until the new one has decided, and what the main thread does."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cr8_lifeline import Lifeline
from cr8_lifeline.events import PolicySwap

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site

TITLE = "Swapping the policy by its file"

_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.0005


def measure(site: Site) -> list[Figure]:
    # The same policy, and one that decides otherwise: each swap is one.
    policies = [site.policies / f"{name}.wasm" for name in ("render-guard", "patient")]
    lapses, polls = swap(policies)
    return [
        Figure(
            row="swap",
            what="the file is renamed into place, until the new policy has decided",
            unit="ms",
            ours=lapses.median * 1e3,
            spread=(lapses.spread[0] * 1e3, lapses.spread[1] * 1e3),
            goal=Bound(150),
            note="In an outage, each policy compiled anew: the compile cache is off.",
        ),
        Figure(
            row="swap",
            what="the longest `poll` meanwhile, which is all that the main thread does",
            unit="ms",
            ours=polls.spread[1] * 1e3,
            note="Nothing of a swap happens on the main thread; what is measured is how long "
            "Python waits for its turn on a busy machine.",
        ),
    ]


def swap(policies: Sequence[Path], rounds: int = 20) -> tuple[Sample, Sample]:
    """Seconds: of each swap, and of each poll. Raises BenchError."""
    lapses: list[float] = []
    polls: list[float] = []
    with tempfile.TemporaryDirectory() as folder, nowhere() as server_url:
        file = Path(folder) / "policy.wasm"
        shutil.copy(policies[-1], file)
        settings = {"server_url": server_url, "policy": str(file), "policy_cache": "off"}
        line = Lifeline(settings, environ={})
        line.connect()
        try:
            _until_taken(line, [])
            for turn in range(rounds):
                # The watch is set up anew after each swap.
                time.sleep(0.2)
                draft = file.with_suffix(".new")
                shutil.copy(policies[turn % len(policies)], draft)
                begun = time.perf_counter()
                os.replace(draft, file)
                lapses.append(_until_taken(line, polls) - begun)
        finally:
            line.close()
    return Sample(tuple(lapses)), Sample(tuple(polls))


def _until_taken(line: Lifeline, polls: list[float]) -> float:
    """When the new policy had decided; `polls` gets what each poll took."""
    end = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < end:
        begun = time.perf_counter()
        events = line.poll()
        now = time.perf_counter()
        polls.append(now - begun)
        for event in events:
            if isinstance(event, PolicySwap):
                if event.message is not None:
                    raise BenchError(event.message)
                return now
        time.sleep(_LOOK_SECONDS)
    raise BenchError(f"no policy was taken within {_LIMIT_SECONDS} s")


@contextmanager
def nowhere() -> Iterator[str]:
    """The URL of a server that is not there."""
    # Bound, so that nobody else gets the port; not listening, so that it refuses.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{bound.getsockname()[1]}"
