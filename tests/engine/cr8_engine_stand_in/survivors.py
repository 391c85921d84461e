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
        return bool(self.pids(username))

    def pids(self, username: str) -> list[int]:
        """Those of this user that run."""
        return [
            one.pid
            for one in self._known
            if one.username == username and started(one.pid) == one.started
        ]

    def note(self, username: str, pid: int) -> None:
        """For the servers to come."""
        since = started(pid)
        if self._file is None or since is None:
            return
        line = json.dumps(_Process(username, pid, since)._asdict())
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def started(pid: int) -> str | None:
    """None: there is no such process, or it has ended and nobody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # After the name, which may hold anything: state, …, and the start as the 20th.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]
