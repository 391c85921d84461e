"""Processes that others started: do they live, how did they end, is one left over?"""

from __future__ import annotations

import ctypes
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lifeline_harness.errors import HarnessError, WaitError
from lifeline_harness.waiting import wait_until

PR_SET_CHILD_SUBREAPER = 36


# Processes that belong to the whole run, whatever test has started them.
_kept: set[int] = set()


@dataclass(frozen=True)
class Process:
    """A line of the process table."""

    pid: int
    parent: int
    session: int
    started: int
    """In clock ticks since the computer's start: with the pid, an identity."""
    ended: bool
    """A zombie: it has ended, and its parent has not asked how."""
    exit_code: int
    """Of a zombie; minus the signal's number if one ended it."""
    command: str


def adopt_orphans() -> None:
    """From now on a descendant that loses its parent becomes our child.

    So no process can hide from `descendants` by its parent's death, and we may ask
    how it ended. Raises HarnessError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise HarnessError(f"prctl: {os.strerror(ctypes.get_errno())}")


def look(pid: int) -> Process | None:
    """None: there is no such process."""
    folder = Path("/proc") / str(pid)
    try:
        stat = (folder / "stat").read_text(errors="replace")
        arguments = (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold anything. Fields from the third one on: see proc(5).
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        started=int(fields[19]),
        ended=fields[0] in "ZX",
        exit_code=os.waitstatus_to_exitcode(int(fields[49])) if fields[0] in "ZX" else 0,
        command=arguments.replace(b"\0", b" ").decode(errors="replace").strip() or f"[{name}]",
    )


def descendants(root: int | None = None) -> list[Process]:
    """The living children, grandchildren and so on of `root` (None: of this process)."""
    children: defaultdict[int, list[Process]] = defaultdict(list)
    for process in _all():
        children[process.parent].append(process)

    def below(pid: int) -> Iterator[Process]:
        for child in children[pid]:
            if not child.ended:
                yield child
            yield from below(child.pid)

    return list(below(os.getpid() if root is None else root))


def keep(pid: int) -> None:
    """This child belongs to the whole run: no test leaves it over."""
    _kept.add(pid)


def session_members(session: int) -> list[Process]:
    """The living processes of a session (its id is its first process's id)."""
    return [one for one in _all() if one.session == session and not one.ended]


def assert_none_left(before: list[Process], timeout: float = 20.0) -> None:
    """All living descendants of this process are among `before`, or in a session that one of them
    leads: a browser has its own ways with its processes.

    Raises AssertionError, naming those that are left after `timeout` seconds.
    """
    known = {(one.pid, one.started) for one in before}
    led = {one.session for one in before if one.session == one.pid}

    def left() -> list[Process]:
        return [
            one
            for one in descendants()
            if (one.pid, one.started) not in known and one.session not in led | _kept
        ]

    try:
        wait_until("no process left over", lambda: not left(), timeout)
    except WaitError as error:
        raise AssertionError(f"left over: {left()}") from error


def _all() -> Iterator[Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (process := look(int(entry))) is not None:
            yield process
