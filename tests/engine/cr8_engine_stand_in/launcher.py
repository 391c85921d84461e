"""Starting Blenders."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cr8_engine_stand_in.errors import LaunchError
from cr8_engine_stand_in.survivors import Survivors

FILE = "{file}"


@dataclass(frozen=True)
class Launched:
    """A Blender that was started here."""

    username: str
    blend_file_path: str | None
    at: float
    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        # WNOWAIT: the exit code stays readable for whoever watches the process from outside.
        ended = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended is None

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
    survivors: those of earlier servers.
    """

    command: Sequence[str]
    log_dir: Path | None
    token: str = field(repr=False)
    survivors: Survivors
    launched: list[Launched] = field(default_factory=list)

    def alive(self, username: str) -> bool:
        """A Blender was started for this user and has not ended, connected or not."""
        ours = any(one.username == username and one.alive() for one in self.launched)
        return ours or self.survivors.alive(username)

    def launch(self, username: str, blend_file_path: str | None, server_url: str) -> int:
        """Start a Blender; its process id. Raises LaunchError."""
        if not self.command:
            raise LaunchError("no command line for Blender was given")
        environment = {
            **os.environ,
            "WS_URL": server_url,
            "CR8_USERNAME": username,
            "CR8_AUTH_TOKEN": self.token,
        }
        try:
            process = self._start(_with_file(self.command, blend_file_path), environment)
        except OSError as error:
            raise LaunchError(f"cannot start {self.command[0]}: {error}") from error
        self.launched.append(Launched(username, blend_file_path, time.monotonic(), process))
        self.survivors.note(username, process.pid)
        return process.pid

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        if self.log_dir is None:
            return _spawn(command, environment, subprocess.DEVNULL)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        # The name needs the process id, which is known only once the process writes to the file.
        with tempfile.NamedTemporaryFile(dir=self.log_dir, delete=False) as log:
            process = _spawn(command, environment, log)
        os.replace(log.name, self.log_dir / f"blender-{process.pid}.log")
        return process


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
