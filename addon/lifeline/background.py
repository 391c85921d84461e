# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that takes too long for Blender's main thread, and touches nothing of Blender."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import bpy

from .errors import AddonError
from .log import about, logger
from .timers import LastingTimer

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Seconds between two looks at work that goes on, and at the timer that looks.
_LOOK = 0.1
_WATCH = 1.0

_jobs: list[_Job[Any]] = []


class _Job(Generic[T]):
    def __init__(self, work: Callable[[], T], done: Callable[[T | AddonError], None]) -> None:
        self._work = work
        self._done = done
        self._outcome: T | AddonError = AddonError("The work was broken off")
        self._ended = threading.Event()
        self._over = threading.Event()
        self._timer = LastingTimer(self._look)
        self._thread = threading.Thread(target=self._run, name="cr8-work", daemon=True)

    def start(self) -> None:
        """Raises RuntimeError if there is no thread to be had."""
        self._thread.start()
        self._timer.start(_LOOK)

    def work(self) -> None:
        try:
            self._outcome = self._work()
        except AddonError as error:
            self._outcome = error
        except BaseException:
            logger.exception("Work in the background failed", extra=about("work-failed"))

    def tell(self) -> None:
        """On the main thread."""
        self.forget()
        self._done(self._outcome)

    def forget(self) -> None:
        """Nobody waits for it any more."""
        self._over.set()
        self._timer.stop()
        if self in _jobs:
            _jobs.remove(self)

    def _run(self) -> None:
        self.work()
        self._ended.set()
        while not self._over.wait(_WATCH):
            with suppress(ValueError):  # the main thread was faster
                self._timer.look()

    def _look(self) -> float | None:
        if not self._ended.is_set():
            return _LOOK
        self.tell()
        return None


def run(work: Callable[[], T], done: Callable[[T | AddonError], None]) -> None:
    """Do `work` on a thread of its own, then call `done` on the main thread with what it gave.

    In background mode, where no timer ticks, both are done before this returns.
    """
    job = _Job(work, done)
    if bpy.app.background:
        job.work()
        job.tell()
        return
    job.start()
    _jobs.append(job)


def unregister() -> None:
    """Nobody waits for what goes on any more."""
    while _jobs:
        _jobs[-1].forget()
