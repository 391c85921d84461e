"""What a process writes, line by line, with the time of each."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import NamedTuple

from lifeline_harness.errors import WaitError
from lifeline_harness.waiting import noted

STEP = 0.01


class Line(NamedTuple):
    """at: seconds of the monotonic clock when the line was seen, 0.01 s late at most when idle."""

    at: float
    text: str


class Lines:
    """Follows a file that a process writes to.

    A file rather than a pipe, so that the writer may outlive whoever started it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[Line] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"lines of {path}", daemon=True)
        self._thread.start()

    def all(self) -> list[Line]:
        with self._changed:
            return list(self._lines)

    def matching(self, pattern: str) -> list[Line]:
        """The lines in which the regular expression is found."""
        return [line for line in self.all() if re.search(pattern, line.text)]

    def wait_for(self, pattern: str, timeout: float, *, since: float = 0.0) -> Line:
        """The first line with the regular expression that was written at `since` or later.

        since: seconds of the monotonic clock. Raises WaitError, with the last lines.
        """
        compiled = re.compile(pattern)
        end = time.monotonic() + timeout
        seen = 0
        with noted(f"a line with {pattern}"), self._changed:
            while True:
                for line in self._lines[seen:]:
                    if line.at >= since and compiled.search(line.text):
                        return line
                seen = len(self._lines)
                left = end - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
        raise WaitError(f"not within {timeout:g} s: a line with {pattern!r}\n{self.tail()}")

    def tail(self, count: int = 30) -> str:
        """The last lines, for a message."""
        last = "\n".join(f"  | {line.text}" for line in self.all()[-count:])
        return f"last lines of {self.path}:\n{last}"

    def close(self) -> None:
        """Read what is there, and stop."""
        self._closing.set()
        self._thread.join()

    def _follow(self) -> None:
        rest = b""
        with self.path.open("rb") as file:
            while True:
                last_round = self._closing.is_set()
                if new := file.read():
                    *whole, rest = (rest + new).split(b"\n")
                    self._add(whole)
                if last_round:
                    self._add([rest] if rest else [])
                    return
                if not new:
                    time.sleep(STEP)

    def _add(self, lines: list[bytes]) -> None:
        now = time.monotonic()
        with self._changed:
            self._lines += [Line(now, line.decode(errors="replace")) for line in lines]
            self._changed.notify_all()
