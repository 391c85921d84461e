"""What stands before several engines, and between them: a real nginx, a real Redis."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from lifeline_harness.errors import StartError, WaitError
from lifeline_harness.ports import free_port
from lifeline_harness.profile import ROOT
from lifeline_harness.waiting import wait_until

# What people are told to use.
CONFIGURATION = ROOT / "deploy" / "nginx" / "engines.conf"
START_SECONDS = 30.0
STOP_SECONDS = 15.0

_AROUND = """\
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {settings}
}}
"""


class _Service:
    """A program that listens at `port` of 127.0.0.1, in a folder of its own."""

    def __init__(self, folder: Path, program: str, port: int) -> None:
        self.port = port
        self._folder = folder
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def _start(self, arguments: Sequence[str], prefix: Sequence[str] = ()) -> None:
        # Debian keeps servers where only root looks.
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
        program = shutil.which(self._program, path=path)
        if program is None:
            raise StartError(f"{self._program} is not installed")
        log = self._folder / f"{self._program}.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [*prefix, program, *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self, ready: Callable[[], bool]) -> None:
        process = self._process
        assert process is not None

        def listens() -> bool:
            if process.poll() is not None:
                raise WaitError(f"it ended with {process.returncode}")
            return ready()

        try:
            wait_until(f"{self._program} listens", listens, START_SECONDS)
        except WaitError as error:
            self.close()
            said = (self._folder / f"{self._program}.log").read_text(errors="replace")
            raise StartError(f"no {self._program}: {error}\n{said}") from error

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Redis(_Service):
    """What several engines share. It keeps nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "redis-server", free_port())

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Redis:
        """Raises StartError."""
        options = {"bind": "127.0.0.1", "port": str(self.port), "save": "", "appendonly": "no"}
        self._start([word for name, value in options.items() for word in (f"--{name}", value)])
        self._wait(self._answers)
        return self

    def _answers(self) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0


class Balancer(_Service):
    """nginx before engines at these addresses, as docs/deploy.md has it.

    prefix: what it is started by, if not by us.
    """

    def __init__(self, folder: Path, addresses: Sequence[str], prefix: Sequence[str] = ()) -> None:
        super().__init__(folder, "nginx", free_port())
        self._addresses = addresses
        self._prefix = tuple(prefix)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _settings(self) -> str:
        text = CONFIGURATION.read_text(encoding="utf-8")
        text = text.replace("listen 8080", f"listen 127.0.0.1:{self.port}")
        servers = [line for line in text.splitlines() if line.lstrip().startswith("server engine-")]
        (first, *others) = servers
        ours = [first.replace("engine-1:8000", address, 1) for address in self._addresses]
        for line in others:
            text = text.replace(f"{line}\n", "")
        return text.replace(first, "\n".join(ours))

    def __enter__(self) -> Balancer:
        """Raises StartError."""
        settings = self._folder / "nginx.conf"
        # Started by root it would give itself up for a user whom our folders know nothing of.
        user = "user root;" if os.geteuid() == 0 else ""
        settings.write_text(_AROUND.format(settings=self._settings(), user=user), encoding="utf-8")
        arguments = ["-p", str(self._folder), "-c", str(settings), "-e", "stderr"]
        self._start(arguments, self._prefix)
        # Written once it listens, which from here may be out of reach.
        self._wait((self._folder / "nginx.pid").exists)
        return self
