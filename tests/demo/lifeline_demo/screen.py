"""The time line in a terminal, or in a file."""

from __future__ import annotations

import shutil
import time
from typing import Any, TextIO

BAR = 30

# To the start of the line, and clear it.
_CLEAR = "\r\x1b[2K"


class Screen:
    """Lines that stay, and on a terminal below them one that is redrawn.

    step: seconds between two lines about the countdown where nothing can be redrawn.
    """

    def __init__(self, stream: TextIO, step: float) -> None:
        self._stream = stream
        self._step = step
        self._live = stream.isatty()
        self._begun: float | None = None
        self._told_left = float("inf")

    def title(self, text: str) -> None:
        """What happens next."""
        self._line(f"\n{text}")

    def note(self, text: str) -> None:
        """What has happened."""
        self._line(f"  {self._stamp()}{text}")

    def lost(self) -> None:
        """The time line counts from now on."""
        self._begun = time.monotonic()

    def closed(self) -> None:
        """The time line ends."""
        self._begun = None

    def state(self, status: dict[str, Any], age: float) -> None:
        """Where the line stands. status: of the add-on, taken `age` seconds ago."""
        phase, left = status["phase"], status["remaining"]
        if left is not None:
            left = max(0.0, left - age)
            self._countdown(left, max(left, status["cleanup_timeout"]))
        elif phase == "reconnecting" and status["attempt"]:
            self._draw(f"attempt {status['attempt']} of {status['attempts']}")
        else:
            self._draw(phase)

    def _countdown(self, left: float, whole: float) -> None:
        minutes, seconds = divmod(int(left + 0.999), 60)
        text = f"saves and closes in {minutes}:{seconds:02d}"
        if self._live:
            full = round(BAR * left / whole)
            self._draw(f"{'█' * full}{'░' * (BAR - full)}  {text}; still trying to connect")
        elif self._told_left - left >= self._step:
            self._told_left = left
            self.note(text)

    def _draw(self, text: str) -> None:
        """Redraw the last line; where that is not possible, the log says the same."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"{_CLEAR}{f'  {self._stamp()}{text}'[:width]}")
            self._stream.flush()

    def _line(self, text: str) -> None:
        start = _CLEAR if self._live else ""
        self._stream.write(f"{start}{text}\n")
        self._stream.flush()

    def _stamp(self) -> str:
        return "" if self._begun is None else f"+{time.monotonic() - self._begun:5.1f} s  "
