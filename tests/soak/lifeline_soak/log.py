"""What happened in a cycle, and when."""

from __future__ import annotations

import time


class CycleLog:
    """Of one cycle after the other. Times in seconds from the cycle's begin."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget the cycle before."""
        self._begun = time.monotonic()
        self._lines: list[str] = []

    def __call__(self, what: str) -> None:
        self._lines.append(f"{time.monotonic() - self._begun:8.3f} s  {what}")

    def lines(self) -> list[str]:
        return list(self._lines)
