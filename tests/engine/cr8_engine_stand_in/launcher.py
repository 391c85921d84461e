"""Starting Blenders."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cr8_engine_stand_in.errors import LaunchError
from cr8_engine_stand_in.survivors import Survivors, started

FILE = "{file}"

# What a Blender does by itself, a moment after its start: the real engine's way to have it connect.
OPERATOR_CALL = """\
import bpy

def connect():
    bpy.ops.ws_handler.connect_websocket()

bpy.app.timers.register(connect, first_interval=1.0)
"""
# From SIGTERM to SIGKILL.
KILL_AFTER = 5.0

_STEP = 0.05
_SURROUNDINGS = {"DISPLAY": ":2", "CR8_SIGNALLER_URI": "ws://127.0.0.1:8443"}


@dataclass(frozen=True)
class Launched:
    """A Blender that was started here."""

    username: str
    blend_file_path: str | None
    at: float
    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        return started(self.process.pid) is not None

    def facts(self) -> dict[str, Any]:
        return {
            "username": self.username,
            "blend_file_path": self.blend_file_path,
            "at": self.at,
            "pid": self.process.pid,
            "alive": self.alive(),
        }


@dataclass
class Launcher:
    """Starts Blenders by one command line.

    command: as given on our command line; see `options`.
    log_dir: where their output goes, to `blender-PID.log`; None: nowhere.
    survivors: those of earlier servers. operator_call: have each connect by its operator.
    """

    command: Sequence[str]
    log_dir: Path | None
    survivors: Survivors
    operator_call: bool
    launched: list[Launched] = field(default_factory=list)

    def alive(self, username: str) -> bool:
        """A Blender was started for this user and has not ended, connected or not."""
        ours = any(one.username == username and one.alive() for one in self.launched)
        return ours or self.survivors.alive(username)

    def launch(self, username: str, blend_file_path: str | None, line: Mapping[str, str]) -> int:
        """Start a Blender; its process id. line: the variables of its own. Raises LaunchError."""
        if not self.command:
            raise LaunchError("no command line for Blender was given")
        command = _with_file(self.command, blend_file_path)
        if self.operator_call:
            command += ["--python-expr", OPERATOR_CALL]
        environment = {**_SURROUNDINGS, **os.environ, **line}
        try:
            process = self._start(command, environment)
        except OSError as error:
            raise LaunchError(f"cannot start {self.command[0]}: {error}") from error
        self.launched.append(Launched(username, blend_file_path, time.monotonic(), process))
        self.survivors.note(username, process.pid)
        return process.pid

    async def terminate(self, username: str) -> None:
        """SIGTERM to the user's Blenders, and SIGKILL to those that live five seconds later."""
        pids = [one.process.pid for one in self.launched if one.username == username]
        for number in (signal.SIGTERM, signal.SIGKILL):
            living = [pid for pid in [*pids, *self.survivors.pids(username)] if _lives(pid)]
            for pid in living:
                os.kill(pid, number)
            end = time.monotonic() + KILL_AFTER
            while any(_lives(pid) for pid in living) and time.monotonic() < end:
                await asyncio.sleep(_STEP)

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        if self.log_dir is None:
            return _spawn(command, environment, subprocess.DEVNULL)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        # The name needs the process id, which is known only once the process writes to the file.
        with tempfile.NamedTemporaryFile(dir=self.log_dir, delete=False) as log:
            process = _spawn(command, environment, log)
        os.replace(log.name, self.log_dir / f"blender-{process.pid}.log")
        return process


def _lives(pid: int) -> bool:
    return started(pid) is not None


def _spawn(
    command: list[str], environment: dict[str, str], output: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    # A session of its own: Blender outlives us, whatever ends us.
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _with_file(command: Sequence[str], blend_file_path: str | None) -> list[str]:
    files = [] if blend_file_path is None else [blend_file_path]
    if FILE not in command:
        return [*command, *files]
    at = list(command).index(FILE)
    return [*command[:at], *files, *command[at + 1 :]]
