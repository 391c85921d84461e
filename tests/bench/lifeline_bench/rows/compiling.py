"""What compiling in a process of its own costs, and what a bomb takes from Blender's."""

from __future__ import annotations

import re
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cr8_lifeline import Lifeline
from cr8_lifeline.events import PolicySwap
from lifeline_harness import bombs

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import Sample, in_turn
from lifeline_bench.rows.swap import nowhere
from lifeline_bench.site import Site

TITLE = "Compiling a policy in a process of its own"

_ROUNDS = 15
_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.0005
_MIB = 1 << 20
# As host/python/src/compiling.rs starts it, and host/sandbox/src/child.rs asks it.
_CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); from cr8_lifeline import _native; "
    "sys.exit(_native._compile())"
)
_REQUEST = struct.pack("<QQ", 64 * _MIB, _MIB)


def measure(site: Site) -> list[Figure]:
    component = site.five_minutes.read_bytes()
    sizes: dict[str, list[float]] = {"child": [], "here": []}

    def child() -> float:
        words = [sys.executable, "-I", "-S", "-B", "-c", _CHILD, str(site.packages)]
        took, size = _run(words, _REQUEST + component)
        sizes["child"].append(size)
        return took

    def here() -> float:
        program = site.command.with_name("lifeline-precompile")
        code = site.scratch / "five-minutes.cwasm"
        code.unlink(missing_ok=True)
        took, size = _run([str(program), str(site.five_minutes), str(code)], b"")
        sizes["here"].append(size)
        return took

    times = in_turn({"child": child, "here": here}, _ROUNDS, site.tell)
    memory = {name: Sample(tuple(given)) for name, given in sizes.items()}
    site.tell("a bomb")
    longest, grown = _bomb(component)
    peer = "a program that compiles it within itself"
    return [
        Figure(
            row="compiling",
            what="five-minutes, from the child's start to its end",
            unit="ms",
            ours=times["child"].median * 1e3,
            spread=(times["child"].spread[0] * 1e3, times["child"].spread[1] * 1e3),
            peer=times["here"].median * 1e3,
            peer_name=peer,
            note="The child is a Python that loads the library. Both start, compile and end.",
        ),
        Figure(
            row="compiling",
            what="the most memory of the process that compiles; Blender takes none of it",
            unit="MB",
            ours=memory["child"].median,
            spread=memory["child"].spread,
            peer=memory["here"].median,
            peer_name=peer,
        ),
        Figure(
            row="compiling",
            what="a component that takes a compiler gigabytes: the longest `poll` meanwhile",
            unit="ms",
            ours=longest * 1e3,
            goal=Bound(50),
            note="Until it is refused, `poll` being all that the main thread does.",
        ),
        Figure(
            row="compiling",
            what="what this process has grown by meanwhile",
            unit="MB",
            ours=grown,
            goal=Bound(150),
        ),
    ]


def _run(words: Sequence[str], given: bytes) -> tuple[float, float]:
    """Seconds and megabytes. Raises BenchError."""
    begun = time.perf_counter()
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
        ThreadPoolExecutor(1) as beside,
    ):
        size = beside.submit(_peak, process.pid)
        process.communicate(given)
        took = time.perf_counter() - begun
    if process.returncode != 0:
        raise BenchError(f"{Path(words[0]).name} has ended with {process.returncode}")
    return took, size.result()


def _peak(pid: int) -> float:
    """The most memory of a process, megabytes, as it was told last before its end.

    What the system tells after it counts this process, too, of which it was a copy.
    """
    peak = 0
    while True:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except OSError:
            break
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        if found is None:
            break
        peak = int(found[1])
        time.sleep(_LOOK_SECONDS)
    return peak * 1024 / 1e6


def _bomb(component: bytes) -> tuple[float, float]:
    """The longest poll, seconds, and what the process grew by, megabytes. Raises BenchError."""
    bomb = bombs.in_policy(component, bombs.nested_values(4_000, 1_000))
    longest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with nowhere() as server_url:
        line = Lifeline({"server_url": server_url, "policy_cache": "off"}, environ={})
        line.connect()
        try:
            line.swap_policy(bomb)
            end = time.monotonic() + _LIMIT_SECONDS
            while time.monotonic() < end:
                begun = time.perf_counter()
                events = line.poll()
                longest = max(longest, time.perf_counter() - begun)
                if any(isinstance(event, PolicySwap) and event.message for event in events):
                    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                    return longest, (after - before) * 1024 / 1e6
                time.sleep(_LOOK_SECONDS)
        finally:
            line.close()
    raise BenchError(f"the bomb was not refused within {_LIMIT_SECONDS} s")
