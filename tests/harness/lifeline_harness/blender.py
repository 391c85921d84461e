"""A real Blender under a test's control."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lifeline_harness.errors import GoneError, HarnessError, SnippetError, WaitError
from lifeline_harness.lines import Line, Lines
from lifeline_harness.processes import look
from lifeline_harness.profile import Profile, blender_command, blender_environment
from lifeline_harness.waiting import wait_until

START_SECONDS = 90.0
RUN_SECONDS = 30.0

_SCREENSHOT = """
window = bpy.context.window_manager.windows[0]
with bpy.context.temp_override(window=window, screen=window.screen, area=window.screen.areas[0]):
    bpy.ops.screen.screenshot(filepath={path!r}, check_existing=False)
"""


class Pending:
    """A snippet that was handed to Blender."""

    def __init__(self, blender: Blender, answer: Path) -> None:
        self._blender = blender
        self._answer = answer

    def done(self) -> bool:
        return self._answer.exists()

    def result(self, timeout: float = RUN_SECONDS) -> Any:
        """The snippet's `result`. Raises SnippetError, WaitError, GoneError."""
        self._blender.wait_alive("a snippet's answer", self.done, timeout)
        answer = json.loads(self._answer.read_text(encoding="utf-8"))
        if "error" in answer:
            raise SnippetError(answer["error"])
        return answer["value"]


class Blender:
    """A Blender process: started here (`start`), or by the server (`Engine.launch`)."""

    def __init__(self, profile: Profile, pid: int, child: subprocess.Popen[bytes] | None) -> None:
        self.profile = profile
        self.pid = pid
        self.lines = Lines(profile.logs / f"blender-{pid}.log")
        self._child = child
        process = look(pid)
        self._started = None if process is None else process.started
        self._exit_code: int | None = None
        self._numbers = itertools.count(1)

    @classmethod
    def start(
        cls,
        profile: Profile,
        file: str | Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        background: bool = False,
        arguments: Sequence[str] = (),
    ) -> Blender:
        """Start one. environment: more variables, like those of `Engine.line`.

        Does not wait: see `wait_ready`. Raises StartError.
        """
        command = blender_command(file, background=background, arguments=arguments)
        return cls.spawn(profile, command, environment)

    @classmethod
    def spawn(
        cls, profile: Profile, command: Sequence[str], environment: Mapping[str, str] | None
    ) -> Blender:
        """Start one by this very command line. environment: as for `start`."""
        profile.prepare()
        with tempfile.NamedTemporaryFile(dir=profile.logs, delete=False) as log:
            child = subprocess.Popen(
                command,
                env={**blender_environment(profile), **(environment or {})},
                cwd=profile.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        os.replace(log.name, profile.logs / f"blender-{child.pid}.log")
        return cls(profile, child.pid, child)

    @property
    def _folder(self) -> Path:
        return self.profile.control / str(self.pid)

    def wait_ready(self, timeout: float = START_SECONDS) -> Blender:
        """Wait for the window, the add-on and the control channel. Raises WaitError, GoneError."""
        self.wait_alive("Blender is ready", (self._folder / "ready.json").exists, timeout)
        self.run("pass", timeout)  # the first timer ticks once the window is there
        return self

    def run(self, source: str, timeout: float = RUN_SECONDS) -> Any:
        """Run Python code on Blender's main thread; the value of its variable `result`.

        `bpy` is imported; the value must be one that JSON carries.
        Raises SnippetError, WaitError, GoneError.
        """
        return self.begin(source).result(timeout)

    def begin(self, source: str) -> Pending:
        """Hand code over without waiting, as for code that blocks the main thread."""
        number = next(self._numbers)
        request = self._folder / f"{number}.py"
        partial = request.with_suffix(".partial-request")
        partial.write_text(source, encoding="utf-8")
        partial.replace(request)
        return Pending(self, request.with_suffix(".json"))

    def block(self, seconds: float) -> Pending:
        """Keep the main thread busy, as a long operator does."""
        return self.begin(f"import time; time.sleep({seconds!r})")

    def screenshot(self, path: Path) -> None:
        """Have Blender write a picture of its window as PNG."""
        self.run(_SCREENSHOT.format(path=str(path)))

    def wait_for_line(self, pattern: str, timeout: float, *, since: float = 0.0) -> Line:
        """See `Lines.wait_for`."""
        return self.lines.wait_for(pattern, timeout, since=since)

    def exit_code(self) -> int | None:
        """None: it runs. Minus the signal's number if one ended it. Raises HarnessError."""
        if self._exit_code is None:
            self._exit_code = self._ask_exit_code()
        return self._exit_code

    def _ask_exit_code(self) -> int | None:
        if self._child is not None:
            return self._child.poll()
        # Started by the server: our child once the server is dead (`adopt_orphans`).
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == self.pid:
                return os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            pass
        process = look(self.pid)
        if process is None or process.started != self._started:
            raise HarnessError(f"Blender {self.pid} has ended, and nobody knows how")
        return process.exit_code if process.ended else None

    def wait_exit(self, timeout: float) -> int:
        """Wait for the end; the exit code. Raises WaitError, with the last lines."""
        try:
            return wait_until("Blender's end", self.exit_code, timeout)
        except WaitError as error:
            raise WaitError(f"{error}\n{self.lines.tail()}") from error

    def wait_alive(self, what: str, probe: Callable[[], bool], timeout: float) -> None:
        """Wait for `probe`, as long as Blender lives. Raises WaitError, GoneError."""

        def look_both() -> bool:
            code = self.exit_code()  # before the probe: what was done at the end counts
            if probe():
                return True
            if code is not None:
                self.lines.close()
                raise GoneError(
                    f"waited for {what}; Blender ended with {code}\n{self.lines.tail()}"
                )
            return False

        try:
            wait_until(what, look_both, timeout)
        except WaitError as error:
            raise WaitError(f"{error}\n{self.lines.tail()}") from error

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self.exit_code() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait_exit(10)

    def close(self) -> None:
        """End it, and stop following what it writes."""
        self.kill()
        self.lines.close()

    def __enter__(self) -> Blender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
