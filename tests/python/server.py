"""The stand-in engine without any Blender, under a test's control."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lifeline_harness.ports import free_port
from lifeline_harness.waiting import wait_until

# What tests of a client alone need, which the real engine does not allow.
ALLOWING = (
    *("--launch-mode", "remote", "--extension"),
    *("--without-browser", "--no-welcome", "--say-why"),
)
PACKAGES = Path(__file__).resolve().parents[1] / "engine"


class Server:
    """Keeps its port and its token over restarts. `start` it, and `close` it in the end.

    token: that of others that it stands beside. options: further ones of its command line.
    allowing: what it allows. secret: it takes tokens that are signed with it, and no other.
    """

    def __init__(
        self,
        *,
        ping_interval: float = 1.0,
        ping_timeout: float = 1.0,
        token: str | None = None,
        options: Sequence[str] = (),
        allowing: Sequence[str] = ALLOWING,
        secret: str | None = None,
    ) -> None:
        self.token = token or secrets.token_hex(16)
        self._credential = (
            {"CR8_ENGINE_TOKEN": self.token} if secret is None else {"CR8_ENGINE_SECRET": secret}
        )
        self.port = free_port()
        self._options = (*allowing, *options)
        self._pings = (ping_interval, ping_timeout)
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def runs(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        interval, timeout = self._pings
        command = [sys.executable, "-m", "cr8_engine_stand_in", "--test-controls"]
        command += ["--port", str(self.port)]
        command += ["--ping-interval", str(interval), "--ping-timeout", str(timeout)]
        command += self._options
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **self._credential, "PYTHONPATH": str(PACKAGES)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the server ended with {self._process.wait()}"

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None, "the server does not run"
        self._process.kill()
        self._process.communicate()
        self._process = None

    def stop(self) -> None:
        """SIGTERM: it closes its connections."""
        assert self._process is not None, "the server does not run"
        self._process.terminate()
        self._process.communicate(timeout=15)
        self._process = None

    def close(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay and nothing answers, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server does not run"
        self._process.send_signal(number)

    def status(self) -> dict[str, Any]:
        """See tests/engine/README.md."""
        return self._request("GET", "/status")

    def emit(self, username: str, event: str, data: object = None) -> None:
        self._request("POST", "/emit", {"username": username, "event": event, "data": data})

    def emit_bytes(self, username: str, event: str, data: bytes) -> None:
        encoded = b64encode(data).decode()
        self._request("POST", "/emit", {"username": username, "event": event, "base64": encoded})

    def refuse(self, on: bool) -> None:
        """Refuse every connection from now on (or no longer)."""
        self._request("POST", "/refuse", {"on": on})

    def shut_out(self, username: str) -> None:
        """Say goodbye to a user's Blender, and refuse it until `refuse(False)`."""
        self.refuse(True)
        self.say_goodbye(username)

    def say_goodbye(self, username: str) -> None:
        """In the namespace; the socket stays."""
        self._request("POST", "/disconnect", {"username": username})

    def wait_for_events(self, username: str, count: int) -> list[dict[str, Any]]:
        """The first events from a user, as in the status, once there are that many."""

        def received() -> list[dict[str, Any]] | None:
            events = [one for one in self.status()["events"] if one["username"] == username]
            return events if len(events) >= count else None

        return wait_until(f"{count} events from {username} at the server", received, 30.0)

    def history(self, username: str) -> list[tuple[str, str | None]]:
        """What happened to a user's connections, and why, oldest first."""
        notes = self.status()["history"]
        return [(one["what"], one["reason"]) for one in notes if one["username"] == username]

    def _request(
        self, method: str, path: str, content: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        # Not urllib: it would ask a proxy for 127.0.0.1.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, None if content is None else json.dumps(content))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == http.client.OK, f"{method} {path}: {answer}"
        return answer
