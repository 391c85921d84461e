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

from . import native

if TYPE_CHECKING:
    from collections.abc import Callable

# A wall clock that is set back by less holds up the next tick by no more (seconds).
_SET_BACK = 2.0
# A tick that comes later than it was due by more than this is missed (seconds).
_MISSED = 5.0
# No step is later than this, whatever the one before has said (seconds).
_LONGEST = 10.0
# A step that comes within this by itself need not be hastened (seconds).
_SOON = 0.1


class LastingTimer:
    """Calls `step` on the main thread; that gives the seconds until its next call, None at the end.

    `stop` is for the main thread, `look` for any other one, each second or so.
    """

    def __init__(self, step: Callable[[], float | None]) -> None:
        self._step = step
        self._wanted = self._stepping = False
        self._ticked_at = 0.0  # by the wall clock
        self._due_at = math.inf  # by the monotonic clock
        self._interval = 0.0
        self._probing = self._others_tick = self._hastened = False

        # Blender knows a timer by the identity of its function, and a bound
        # method is a new object each time it is looked up.
        def tick() -> float | None:
            return self._tick()

        def probe() -> None:
            self._others_tick = True

        def hurry() -> None:
            if self._hastened and self._wanted and not self._stepping:
                self._start_over()

        self._timer = tick
        self._probe = probe
        self._hurry = hurry

    def start(self, first: float = 0.0) -> None:
        """first: seconds until the first call."""
        self._wanted = True
        self._arm(first)

    def stop(self) -> None:
        """Tick no more. Later calls do nothing."""
        self._wanted = False
        for function in (self._timer, self._probe, self._hurry):
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

    @property
    def is_slow(self) -> bool:
        """The next call is not to be expected soon."""
        return self._wanted and not self._stepping and self._interval > _SOON

    def hasten(self) -> bool:
        """Have the next call at once. For another thread. False: not now, ask again.

        Blender has no other way to be woken that is safe, and quick: a redraw takes as long as the
        scene does, and its list of timers, to which one is added here, has no lock. So this is done
        only while the main thread sleeps: see `while_main_thread_sleeps`.
        """
        if self._hastened or not self.is_slow:
            return True
        # Before: what it has set off, takes it back.
        self._hastened = True
        try:
            done = native.while_main_thread_sleeps(
                bpy.app.timers.register, self._hurry, persistent=True
            )
        except BaseException:
            self._hastened = False
            raise
        if not done:
            self._hastened = False
        return done

    def _start_over(self) -> None:
        _unregister(self._timer)
        self._arm()

    def _arm(self, first: float = 0.0) -> None:
        self._expect(first)
        if self._wanted and not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, first_interval=first, persistent=True)

    def _expect(self, interval: float) -> None:
        self._probing = self._hastened = False
        self._interval = interval
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
