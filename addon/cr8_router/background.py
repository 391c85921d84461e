# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that takes too long for Blender's main thread, and touches nothing of Blender."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import bpy

from .errors import AddonError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Seconds between two looks at work that goes on.
_LOOK = 0.1

_looks: list[Callable[[], float | None]] = []


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._outcome: list[T | AddonError] = []
        self.thread = threading.Thread(target=self.run, name="cr8-work", daemon=True)

    def run(self) -> None:
        try:
            self._outcome.append(self._work())
        except AddonError as error:
            self._outcome.append(error)

    @property
    def outcome(self) -> T | AddonError:
        """Once the thread has ended."""
        return self._outcome[0] if self._outcome else AddonError("The work was broken off")


def run(work: Callable[[], T], done: Callable[[T | AddonError], None]) -> None:
    """Do `work` on a thread of its own, then call `done` on the main thread with what it gave.

    In background mode, where no timer ticks, both are done before this returns.
    """
    job = _Job(work)
    if bpy.app.background:
        job.run()
        done(job.outcome)
        return
    job.thread.start()

    def look() -> float | None:
        if job.thread.is_alive():
            return _LOOK
        _looks.remove(look)
        done(job.outcome)
        return None

    _looks.append(look)
    bpy.app.timers.register(look, first_interval=_LOOK, persistent=True)


def unregister() -> None:
    """Nobody waits for what goes on any more."""
    while _looks:
        look = _looks.pop()
        if bpy.app.timers.is_registered(look):
            bpy.app.timers.unregister(look)
