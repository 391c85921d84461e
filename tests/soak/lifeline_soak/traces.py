"""What a process has open and running, as `/proc` tells it."""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path

# The journal's thread waits a little for the next line, and a silent server is asked from a thread
# of its own; there is one of each at most.
PASSING = ("lifeline-file", "lifeline-probe")

_NUMBERS = re.compile(r"\d+")


def threads(pid: int) -> Counter[str]:
    """Threads by name, without those that come and go."""
    names: Counter[str] = Counter()
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            names[_general((task / "comm").read_text().strip())] += 1
    for name in PASSING:
        if names[name] <= 1:
            del names[name]
    return names


def descriptors(pid: int) -> Counter[str]:
    """Open files, sockets and so on, by what they lead to; numbers are left out of the names."""
    found: Counter[str] = Counter()
    folder = Path("/proc") / str(pid) / "fd"
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):  # of this listing itself, for one
            target = os.readlink(folder / name)
            if target != f"/proc/{pid}/fd":
                found[_general(target)] += 1
    return found


def resident(pid: int) -> int:
    """Bytes of memory that the process occupies."""
    pages = (Path("/proc") / str(pid) / "statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def mappings(pid: int) -> int:
    """How many pieces its address space has."""
    return (Path("/proc") / str(pid) / "maps").read_bytes().count(b"\n")


def difference(what: str, expected: Counter[str], found: Counter[str]) -> list[str]:
    """A sentence for each kind of which there are not as many as expected."""
    return [
        f"{what} {name}: expected {expected[name]}, found {found[name]}"
        for name in sorted(expected.keys() | found.keys())
        if expected[name] != found[name]
    ]


def _general(name: str) -> str:
    return _NUMBERS.sub("#", name)
