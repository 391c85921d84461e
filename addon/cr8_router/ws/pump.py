# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls a step of the session again and again, on Blender's main thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from ..log import about, logger
from .clock_watch import ClockWatch

if TYPE_CHECKING:
    from collections.abc import Callable

# After a step that raised.
_RETRY = 1.0


class Pump:
    """Calls `step`, which gives the seconds until its next call, or None when all is done.

    With a window: a persistent timer. In background mode timers never tick, so
    there `run` is the loop.
    """

    def __init__(self, step: Callable[[], float | None]) -> None:
        self._step = step
        self._running = False
        self._last_failure = ""

        # Blender knows a timer by the identity of its function, and a bound
        # method is a new object each time it is looked up.
        def tick() -> float | None:
            return self._tick()

        @persistent  # type: ignore[untyped-decorator]
        def rearm(*_args: Any) -> None:
            self._arm()

        self._timer = tick
        self._rearm = rearm
        self._clock = ClockWatch(self._start_over)

    def start(self) -> None:
        """Begin to tick. In background mode nothing ticks until `run`."""
        self._running = True
        if bpy.app.background:
            # A timer that never ticks is not only useless: bpy 4.5 hangs at exit over it.
            return
        bpy.app.handlers.load_post.append(self._rearm)
        self._arm()
        self._clock.start()

    def stop(self) -> None:
        """Tick no more. Later calls do nothing."""
        self._running = False
        self._clock.stop()
        if self._rearm in bpy.app.handlers.load_post:
            bpy.app.handlers.load_post.remove(self._rearm)
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)

    def run(self) -> bool:
        """Loop until the step says that all is done (True) or the pump is stopped (False)."""
        while self._running:
            interval = self._tick()
            if interval is None:
                return self._running
            time.sleep(interval)
        return False

    def _arm(self) -> None:
        if self._running and not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer, first_interval=0.0, persistent=True)

    def _start_over(self) -> None:
        """Blender's timers go by the wall clock, and that was set back: let this one tick now.

        Not on the main thread, which may not come to us for hours. Blender's list of timers has
        no lock; Python's keeps our own timers off it, and this is rarer than rare.
        """
        if self._running and bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)
            self._arm()

    def _tick(self) -> float | None:
        if not self._running:
            return None
        self._clock.ticked()
        try:
            return self._step()
        except Exception as error:
            # Blender drops a timer that raises, and with it the line. The same
            # failure, four times a second, is worth one traceback.
            failure = repr(error)
            if failure != self._last_failure:
                self._last_failure = failure
                logger.exception("A step of the add-on failed", extra=about("step-failed"))
            return _RETRY
