"""Blenders whose standard output or error is a pipe in our hand."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.profile import blender_command

from tests.blender.stage import Stage

# Opens the pipe, puts it in the place of the descriptors, and becomes Blender.
_EXEC = """
import os, sys
pipe, descriptors, *command = sys.argv[1:]
opened = os.open(pipe, os.O_WRONLY)
for descriptor in descriptors.split(","):
    os.dup2(opened, int(descriptor))
os.execvp(command[0], command)
"""
STDOUT, STDERR = 1, 2


class Pipe:
    """Nobody reads it until `read` is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._read: list[bytes] = []
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def fill(self) -> None:
        """To the last byte."""
        for size in (1 << 16, 1):
            try:
                while True:
                    os.write(self._end, b"x" * size)
            except BlockingIOError:
                pass

    def read(self) -> None:
        """From now on, all that comes."""
        self._thread = threading.Thread(target=self._follow, name="reads a pipe")
        self._thread.start()

    def text(self) -> str:
        """What was read."""
        return b"".join(self._read).decode(errors="replace")

    def _follow(self) -> None:
        while not self._closed.wait(0.02):
            try:
                while data := os.read(self._end, 1 << 16):
                    self._read.append(data)
            except BlockingIOError:
                pass

    def __enter__(self) -> Pipe:
        return self

    def __exit__(self, *_error: object) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        os.close(self._end)


def start(stage: Stage, pipe: Pipe, *descriptors: int) -> Blender:
    """A connected Blender that writes there."""
    named = ",".join(map(str, descriptors))
    wrapper = [sys.executable, "-c", _EXEC, str(pipe.path), named]
    command = [*wrapper, *blender_command(stage.file)]
    blender = stage.own(Blender.spawn(stage.profile, command, stage.engine.line("ann")))
    blender.wait_ready()
    stage.wait_connected(blender)
    return blender
