# SPDX-License-Identifier: GPL-3.0-or-later
"""A timer of Blender's that lasts until it is stopped, whatever becomes of it in between.

Blender drops a timer that raises anything, KeyboardInterrupt and SystemExit included. One of those
may strike before the first line of a function and after its last, so that nothing in the function
helps. And Blender's timers go by the wall clock: one that is set back holds them all up. So another
thread has to look (`LastingTimer.look`) whether the timer still ticks.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable

# A wall clock that is set back by less holds up the next tick by no more (seconds).
_SET_BACK = 2.0
# A tick that comes later than it was due by more than this is missed (seconds).
_MISSED = 5.0
# No step is later than this, whatever the one before has said (seconds).
_LONGEST = 10.0


class LastingTimer:
    """Calls `step` on the main thread; that gives the seconds until its next call, None at the end.

    `stop` is for the main thread, `look` for any other one, each second or so.
    """

    def __init__(self, step: Callable[[], float | None]) -> None:
        self._step = step
        self._wanted = self._stepping = False
        self._ticked_at = 0.0  # by the wall clock
        self._due_at = math.inf  # by the monotonic clock
        self._probing = self._others_tick = False

        # Blender knows a timer by the identity of its function, and a bound
        # method is a new object each time it is looked up.
        def tick() -> float | None:
            return self._tick()

        def probe() -> None:
            self._others_tick = True

        self._timer = tick
        self._probe = probe

    def start(self, first: float = 0.0) -> None:
        """first: seconds until the first call."""
        self._wanted = True
        self._arm(first)

    def stop(self) -> None:
        """Tick no more. Later calls do nothing."""
        self._wanted = False
        for function in (self._timer, self._probe):
            _unregister(function)

    def look(self) -> None:
        """Let it tick again if it does not any more.

        Not on the main thread, which may not come to us for hours. Blender's list of timers has
        no lock; Python's keeps our own timers off it, and all this is rarer than rare.
        """
        if not self._wanted:
            return
        if not bpy.app.timers.is_registered(self._timer):
            self._arm()
        elif time.time() < self._ticked_at - _SET_BACK:
            self._start_over()
        elif self._stepping or time.monotonic() < self._due_at + _MISSED:
            self._probing = False
        elif not self._probing:
            # A main thread that is busy with something else calls no timer: does it call others?
            self._probing, self._others_tick = True, False
            if not bpy.app.timers.is_registered(self._probe):
                bpy.app.timers.register(self._probe, persistent=True)
        elif self._others_tick:
            self._start_over()

    def _start_over(self) -> None:
        _unregister(self._timer)
        self._arm()

    def _arm(self, first: float = 0.0) -> None:
        self._expect(first)
        if self._wanted and not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, first_interval=first, persistent=True)

    def _expect(self, interval: float) -> None:
        self._probing = False
        self._ticked_at = time.time()
        self._due_at = time.monotonic() + interval

    def _tick(self) -> float | None:
        if not self._wanted:
            return None
        self._expect(0.0)
        self._stepping = True
        try:
            interval = self._step()
        finally:
            self._stepping = False
        if interval is None:
            self._wanted = False
            return None
        interval = interval if 0.0 <= interval <= _LONGEST else _LONGEST
        self._expect(interval)
        return interval


def _unregister(function: Callable[[], float | None]) -> None:
    if bpy.app.timers.is_registered(function):
        bpy.app.timers.unregister(function)
