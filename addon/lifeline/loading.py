# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports Lifeline's modules on a thread of its own: Blender's main thread has no time for it.

Importing touches nothing of Blender but names, and classes that are not registered yet.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable

_PARTS = ("background", "log", "session", "translations", "preferences", "ui", "unasked")
_PACKAGE = __package__

# Seconds in which whoever has started the thread gets on without waiting for Python's lock.
_FIRST_GO_ON = 0.005
# Seconds between two looks at whether all is there; and after a start that has failed.
_LOOK = 0.1
_AGAIN = 5.0
# As in `timers`, whose import would cost the main thread something here.
_WATCH = 1.0
_SET_BACK = 2.0


def loaded() -> bool:
    """Whether all of it is there, so that nobody has to wait."""
    return all(f"{_PACKAGE}.{part}" in sys.modules for part in _PARTS)


class Loading:
    """Imports what is missing, then calls `start` on the main thread, until that has worked once.

    What cannot be imported raises there.
    """

    def __init__(self, start: Callable[[], None]) -> None:
        self._start = start
        self._loaded = threading.Event()
        self._over = threading.Event()
        self._last_failure = ""
        self._ticked_at = 0.0
        # What is started may call an add-on's handler, which may ask whether all is there.
        self._starting = False

        # Blender knows a timer by the identity of its function.
        def look() -> float | None:
            return self._look()

        self._timer = look
        self._thread = threading.Thread(target=self._load, name="cr8-load", daemon=True)

    def begin(self) -> None:
        """Raises RuntimeError if there is no thread to be had."""
        self._thread.start()
        self._arm()

    def cancel(self) -> None:
        """Nothing is started any more."""
        self._over.set()
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)

    def finish(self) -> None:
        """Start now, waiting for what is missing. Raises whatever `start` raises."""
        if not (self.over or self._starting):
            self._loaded.wait()
            self._start_now()
            self.cancel()

    @property
    def over(self) -> bool:
        """It has started, or was cancelled."""
        return self._over.is_set()

    def _start_now(self) -> None:
        self._starting = True
        try:
            self._start()
        finally:
            self._starting = False

    def _arm(self) -> None:
        self._ticked_at = time.time()
        bpy.app.timers.register(self._timer, first_interval=_LOOK, persistent=True)

    def _look(self) -> float | None:
        self._ticked_at = time.time()
        if self.over:
            return None
        if not self._loaded.is_set():
            return _LOOK
        try:
            self._start_now()
        except BaseException as error:
            # Blender would drop the timer, and nobody would start at all.
            if repr(error) != self._last_failure:
                self._last_failure = repr(error)
                _complain(error)
            return _AGAIN
        self._over.set()
        return None

    def _load(self) -> None:
        time.sleep(_FIRST_GO_ON)
        try:
            with suppress(Exception):
                for part in _PARTS:
                    importlib.import_module(f"{_PACKAGE}.{part}")
                from . import preferences, translations

                preferences.prepare()
                translations.prepare()
        finally:
            self._loaded.set()
        while not self._over.wait(_WATCH):
            with suppress(ValueError):  # the main thread was faster
                self._watch()

    def _watch(self) -> None:
        """Not on the main thread: a timer that is gone, or held up by the clock, ticks again."""
        if bpy.app.timers.is_registered(self._timer):
            if time.time() > self._ticked_at - _SET_BACK:
                return
            bpy.app.timers.unregister(self._timer)
        self._arm()


def _complain(error: BaseException) -> None:
    """There may be no log yet, and standard output may be a pipe that nobody reads."""

    def complain() -> None:
        import traceback  # it brings much along

        lines = traceback.format_exception(type(error), error, error.__traceback__)
        print(*lines, sep="", end="", file=sys.stderr)
        print(f"[ERROR] Lifeline has not started; it tries again every {_AGAIN:g} s", flush=True)

    with suppress(RuntimeError):  # no thread is to be had
        threading.Thread(target=complain, name="cr8-complain", daemon=True).start()
