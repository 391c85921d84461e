# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread that looks, each second, whether a timer still ticks."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ..log import about, logger

if TYPE_CHECKING:
    from ..timers import LastingTimer

# Seconds between two looks.
_LOOK = 1.0


class TimerWatch:
    """Looks after one timer, from `begin` to `stop`."""

    def __init__(self, timer: LastingTimer) -> None:
        self._timer = timer
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
        while not self._stop.wait(_LOOK):
            try:
                self._timer.look()
            except Exception as error:
                if repr(error) != self._last_failure:
                    self._last_failure = repr(error)
                    logger.exception("The timer was not looked at", extra=about("watch-failed"))
