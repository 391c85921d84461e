"""A policy's file is written: until the new policy has decided, and what it costs the main thread."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cr8_lifeline import Lifeline

_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.0005


def measure(
    policies: Sequence[Path], rounds: int = 20, *, in_place: bool = False, cache: str = "off"
) -> dict[str, float]:
    """Swap to each of the policies in turn, in an outage, through the file that is watched.

    policies: components, at least two, so that each swap is one. in_place: written into the file;
    otherwise renamed into its place. cache: the setting policy_cache; off: each is compiled.
    """
    lapses: list[float] = []
    polls: list[float] = []
    with tempfile.TemporaryDirectory() as folder, _nowhere() as server_url:
        file = Path(folder) / "policy.wasm"
        shutil.copy(policies[-1], file)
        settings = {"server_url": server_url, "policy": str(file), "policy_cache": cache}
        line = Lifeline(settings, environ={})
        line.connect()
        try:
            _until_taken(line, [])
            for turn in range(rounds):
                # The watch is set up anew after each swap.
                time.sleep(0.2)
                content = policies[turn % len(policies)].read_bytes()
                draft = file.with_suffix(".new")
                if in_place:
                    begun = time.perf_counter()
                    file.write_bytes(content)
                else:
                    draft.write_bytes(content)
                    begun = time.perf_counter()
                    os.replace(draft, file)
                lapses.append(_until_taken(line, polls) - begun)
        finally:
            line.close()
    return {
        "swap_median_ms": statistics.median(lapses) * 1e3,
        "swap_worst_ms": max(lapses) * 1e3,
        "main_thread_median_us": statistics.median(polls) * 1e6,
        "main_thread_worst_us": max(polls) * 1e6,
        "rounds": rounds,
    }


def _until_taken(line: Lifeline, polls: list[float]) -> float:
    """When the new policy had decided; `polls` gets what each poll took."""
    end = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < end:
        begun = time.perf_counter()
        events = line.poll()
        now = time.perf_counter()
        polls.append(now - begun)
        for event in events:
            if event.kind == "policy":
                if event.message is not None:
                    raise RuntimeError(event.message)
                return now
        time.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"no policy was taken within {_LIMIT_SECONDS} s")


@contextmanager
def _nowhere() -> Iterator[str]:
    """The URL of a server that is not there."""
    # Bound, so that nobody else gets the port; not listening, so that it refuses.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{bound.getsockname()[1]}"
