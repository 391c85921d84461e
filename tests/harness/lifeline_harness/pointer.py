"""A person's hands on a display: pointer and keys, by xdotool."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from lifeline_harness.display import Display
from lifeline_harness.errors import HarnessError, StartError

COMMAND_SECONDS = 20.0
# Blender does not take a click for one that comes sooner than a hand's.
HAND_SECONDS = 0.4


class Pointer:
    """Moves, clicks and types where Blender draws. Raises StartError without xdotool."""

    def __init__(self, display: Display) -> None:
        program = shutil.which("xdotool")
        if program is None:
            raise StartError("xdotool is not installed")
        self._program = program
        self._environment = {**os.environ, "DISPLAY": display.name}

    def move(self, x: int, y: int) -> None:
        """To a pixel of the display."""
        self._do("mousemove", str(x), str(y))

    def click(self, x: int, y: int, *, times: int = 1) -> None:
        """Move there and press the left button."""
        self.move(x, y)
        time.sleep(HAND_SECONDS)
        delay = str(round(HAND_SECONDS * 1000))
        self._do("click", "--repeat", str(times), "--delay", delay, "1")
        time.sleep(HAND_SECONDS)

    def copy(self, x: int, y: int) -> None:
        """Move there and press Ctrl C."""
        self._do("mousemove", str(x), str(y), "sleep", "0.05", "key", "ctrl+c")

    def press(self, *keys: str) -> None:
        """Keys by their X names, like `F3`, `Return` or `ctrl+c`."""
        self._do("key", *keys)

    def type(self, text: str) -> None:
        """Letter by letter."""
        self._do("type", "--delay", "60", text)

    def _do(self, *words: str) -> None:
        done = subprocess.run(
            [self._program, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise HarnessError(f"xdotool {words[0]}: {done.stderr.decode(errors='replace')}")
