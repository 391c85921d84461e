# SPDX-License-Identifier: GPL-3.0-or-later
"""What calls a step of the session again and again, on Blender's main thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from .. import interrupts
from ..log import about, logger
from ..timers import LastingTimer
from .timer_watch import TimerWatch

if TYPE_CHECKING:
    from collections.abc import Callable

# After a step that raised.
_RETRY = 1.0


class Pump(LastingTimer):
    """Calls `step`, which gives the seconds until its next call, or None when all is done.

    With a window: a timer that lasts. In background mode timers never tick, so
    there `run` is the loop.
    """

    def __init__(
        self, step: Callable[[], float | None], news: Callable[[float], bool] | None = None
    ) -> None:
        """news: waits until there is something for the next call, at most so many seconds, and says
        whether there is."""
        super().__init__(self._safe_step)
        self._news = news
        self._session_step = step
        self._last_failure = ""

        @persistent  # type: ignore[untyped-decorator]
        def rearm(*_args: Any) -> None:
            self.look()

        self._rearm = rearm
        self._watch = TimerWatch(self, news)

    def start(self, first: float = 0.0) -> None:
        """Begin to tick. In background mode nothing ticks until `run`."""
        if bpy.app.background:
            # A timer that never ticks is not only useless: bpy 4.5 hangs at exit over it.
            self._wanted = True
            return
        bpy.app.handlers.load_post.append(self._rearm)
        super().start(first)
        self._watch.begin()

    def stop(self) -> None:
        """Tick no more. Later calls do nothing."""
        self._watch.stop()
        if self._rearm in bpy.app.handlers.load_post:
            bpy.app.handlers.load_post.remove(self._rearm)
        super().stop()

    def run(self, interrupted: Callable[[], None]) -> bool:
        """Loop until the step says that all is done (True) or the pump is stopped (False).

        interrupted: called when Ctrl-C has been pressed; what it raises passes through.
        """
        while self._wanted:
            interval = self._safe_step()
            if interval is None:
                return self._wanted
            if interrupts.taken():
                interrupted()
            self._rest(interval)
        return False

    def _rest(self, interval: float) -> None:
        end = time.monotonic() + interval
        # One that waits no more, since the line has ended, does not keep the processor busy.
        if self._news is None or not self._news(interval):
            time.sleep(max(0.0, end - time.monotonic()))

    def _safe_step(self) -> float | None:
        try:
            if not bpy.app.background:
                self._watch.begin()
            return self._session_step()
        except BaseException as error:  # a handler's SystemExit would end Blender unsaved
            # Blender drops a timer that raises, and with it the line. The same
            # failure, four times a second, is worth one traceback.
            failure = repr(error)
            if failure != self._last_failure:
                self._last_failure = failure
                logger.error(
                    "A step of the add-on failed", exc_info=error, extra=about("step-failed")
                )
            return _RETRY
