# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread that looks, each second, whether a timer still ticks, and hastens it at news."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ..log import about, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..timers import LastingTimer

# Seconds between two looks.
_LOOK = 1.0
# Seconds until a main thread that does not sleep is looked at again, and how often.
_AGAIN = 0.005
_TRIES = 100
# Seconds that the main thread is given to take the news.
_TAKEN = 0.1


class TimerWatch:
    """Looks after one timer, from `begin` to `stop`."""

    def __init__(self, timer: LastingTimer, news: Callable[[float], bool] | None = None) -> None:
        """news: waits for some, at most so many seconds, and says whether there is any."""
        self._timer = timer
        self._news = news
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_failure = ""

    def begin(self) -> None:
        """Nothing if it has begun. To be called again and again: a thread may end, or not be
        to be had."""
        if self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._watch, name="cr8-clock", daemon=True)
        with suppress(RuntimeError):  # no thread is to be had
            thread.start()
            self._thread = thread

    def stop(self) -> None:
        """Watch no more. Does not wait for a look that is under way."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._rest()
                self._timer.look()
            except Exception as error:
                if repr(error) != self._last_failure:
                    self._last_failure = repr(error)
                    logger.exception("The timer was not looked at", extra=about("watch-failed"))
                self._stop.wait(_LOOK)

    def _rest(self) -> None:
        """Until the next look. A timer that ticks often needs nobody to tell it of news."""
        end = time.monotonic() + _LOOK
        while (left := end - time.monotonic()) > 0 and not self._stop.is_set():
            if self._news is None or not self._timer.is_slow:
                self._stop.wait(left)
            elif self._news(left):
                self._hasten()
            else:
                # At the end of its time, or at once when the line has ended.
                self._stop.wait(max(0.0, end - time.monotonic()))

    def _hasten(self) -> None:
        for _ in range(_TRIES):
            if self._timer.hasten():
                break
            if self._stop.wait(_AGAIN):
                return
        else:  # it computes, or nobody can tell whether it sleeps
            self._stop.wait(_LOOK)
            return
        self._stop.wait(_TAKEN)
