"""Blenders that outlive the server that has started them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple


class _Process(NamedTuple):
    username: str
    pid: int
    started: str
    """When, as `/proc` has it: a process id is given anew some day."""


class Survivors:
    """The Blenders in a file, one JSON line each, whoever has started them. Linux only.

    file: None: none are known, and none are noted.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: list[_Process] = []
        if file is not None and file.exists():
            lines = file.read_text(encoding="utf-8").splitlines()
            self._known = [_Process(**json.loads(line)) for line in lines]

    def alive(self, username: str) -> bool:
        """One of this user runs."""
        return any(
            one.username == username and _started(one.pid) == one.started for one in self._known
        )

    def note(self, username: str, pid: int) -> None:
        """For the servers to come."""
        started = _started(pid)
        if self._file is None or started is None:
            return
        line = json.dumps(_Process(username, pid, started)._asdict())
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _started(pid: int) -> str | None:
    """None: there is no such process, or it has ended and nobody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # After the name, which may hold anything: state, …, and the start as the 20th.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
