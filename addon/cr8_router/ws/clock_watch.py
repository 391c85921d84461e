# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices a wall clock that is set back: until it has caught up, none of Blender's timers ticks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds between two looks.
_LOOK = 1.0
# A clock that is set back by less holds up the next tick by no more.
_NOTICED = 2.0


class ClockWatch:
    """Calls `set_back`, on a thread of its own, when the clock shows a time long before a tick."""

    def __init__(self, set_back: Callable[[], None]) -> None:
        self._set_back = set_back
        self._ticked_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cr8-clock", daemon=True)

    def start(self) -> None:
        self.ticked()
        self._thread.start()

    def ticked(self) -> None:
        """The timer has ticked just now."""
        self._ticked_at = time.time()

    def stop(self) -> None:
        """Watch no more. Does not wait for a look that is under way."""
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK):
            if time.time() < self._ticked_at - _NOTICED:
                self.ticked()
                self._set_back()
