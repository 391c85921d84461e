"""What lines leave behind in this process: threads and sockets."""

from __future__ import annotations

import os
from pathlib import Path

TASKS = Path("/proc/self/task")
FILES = Path("/proc/self/fd")


def threads() -> list[str]:
    """The names of the threads that lines have started."""
    names = []
    for task in TASKS.iterdir():
        try:
            name = (task / "comm").read_text().strip()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended in this moment
        if name.startswith("lifeline"):
            names.append(name)
    return sorted(names)


def sockets() -> set[str]:
    """Every socket of this process, as `socket:[inode]`."""
    found = set()
    for file in FILES.iterdir():
        try:
            target = os.readlink(file)
        except FileNotFoundError:
            continue  # of this listing itself
        if target.startswith("socket:"):
            found.add(target)
    return found
