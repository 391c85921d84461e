"""The server under a test's control."""

from __future__ import annotations

import http.client
import json
import secrets
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lifeline_harness.blender import Blender
from lifeline_harness.errors import HarnessError, RequestError, StartError, WaitError
from lifeline_harness.lines import Lines
from lifeline_harness.ports import free_port
from lifeline_harness.profile import ROOT, Profile, blender_command, blender_environment
from lifeline_harness.waiting import wait_until

PACKAGES = ROOT / "tests" / "engine"
# What scenarios about Blender alone need, which the real engine does not allow.
ALLOWING = (
    *("--launch-mode", "remote"),
    *("--extension", "--without-browser", "--say-why", "--no-operator-call"),
)
START_SECONDS = 30.0
REQUEST_SECONDS = 10.0
ASK_AGAIN_SECONDS = 0.05


class Engine:
    """The stand-in for `cr8_engine`, run by the interpreter that runs this.

    profile: of the Blenders that it launches; their folder also takes its log.
    blenders: it can launch some, so there must be one on this computer.
    token: that of others that it stands beside. options: further ones of its command line.
    prefix: what it is started by, if not by us. allowing: what it allows beyond the real one.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        ping_interval: float = 1.0,
        ping_timeout: float = 1.0,
        blenders: bool = True,
        token: str | None = None,
        options: Sequence[str] = (),
        prefix: Sequence[str] = (),
        allowing: Sequence[str] = ALLOWING,
    ) -> None:
        self.profile = profile
        self.token = token or secrets.token_hex(16)
        self.port = free_port()
        self._pings = (ping_interval, ping_timeout)
        self._blenders = blenders
        self._options = (*allowing, *options)
        self._prefix = tuple(prefix)
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: Lines | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Raises HarnessError if it does not run."""
        return self._running().pid

    @property
    def runs(self) -> bool:
        return self._process is not None

    def line(self, username: str) -> dict[str, str]:
        """The variables by which a Blender finds this server."""
        return {"WS_URL": self.url, "CR8_USERNAME": username, "CR8_AUTH_TOKEN": self.token}

    def start(self) -> Engine:
        """Start it, each time on the same port. Raises StartError."""
        if self._process is not None:
            raise HarnessError("the server runs already")
        self.profile.prepare()
        self._starts += 1
        path = self.profile.logs / f"engine-{self._starts}.log"
        interval, timeout = self._pings
        command = [*self._prefix, sys.executable, "-m", "cr8_engine_stand_in", "--test-controls"]
        command += ["--port", str(self.port), "--blender-log-dir", str(self.profile.logs)]
        command += ["--ping-interval", str(interval), "--ping-timeout", str(timeout)]
        command += ["--launched", str(self.profile.folder / "launched.jsonl")]
        command += self._options
        if self._blenders:
            command += ["--", *blender_command("{file}")]
        with path.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                # The Blenders that it starts inherit theirs from it.
                env={
                    **blender_environment(self.profile),
                    "CR8_ENGINE_TOKEN": self.token,
                    "PYTHONPATH": str(PACKAGES),
                },
                cwd=self.profile.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._lines = Lines(path)
        self._wait_listening(self._process, self._lines)
        return self

    def _wait_listening(self, process: subprocess.Popen[bytes], lines: Lines) -> None:
        def listening() -> bool:
            ended = process.poll() is not None
            if lines.matching(r'^{"event": "listening"'):
                return True
            if ended:
                raise WaitError(f"it ended with {process.returncode}")
            return False

        try:
            wait_until("the server listens", listening, START_SECONDS)
        except WaitError as error:
            self.close()
            raise StartError(f"no server: {error}\n{lines.tail()}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise HarnessError("the server does not run")
        return self._process

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM: it closes its connections."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process = self._running()
        process.send_signal(number)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired as error:
            raise WaitError(f"the server has not ended 15 s after {number.name}") from error
        self._forget()

    def _forget(self) -> None:
        self._process = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def freeze(self) -> None:
        """SIGSTOP: connections stay and nothing answers, until `thaw`."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it, if it runs, and start it on the same port."""
        if self._process is not None:
            self.kill()
        self.start()

    def status(self) -> dict[str, Any]:
        """See tests/engine/README.md. Raises RequestError."""
        return self._request("GET", "/status")

    def launch(self, username: str, file: str | Path | None = None) -> Blender:
        """Have it start a Blender. Raises RequestError, also if the user has one already."""
        request = {"username": username, "blend_file_path": None if file is None else str(file)}
        answer = self._request("POST", "/launch", request)
        if "pid" not in answer:
            raise RequestError(f"no Blender was launched: {answer}")
        return Blender(self.profile, answer["pid"], None)

    def disconnect(self, username: str) -> None:
        """Have it say goodbye in the namespace; the socket stays. Raises RequestError."""
        self._request("POST", "/disconnect", {"username": username})

    def engineio_close(self, username: str) -> None:
        """Have it send an engine.io CLOSE and no more. Raises RequestError."""
        self._request("POST", "/engineio-close", {"username": username})

    def emit(self, username: str, event: str, data: object = None) -> None:
        """Send an event to a Blender. Raises RequestError."""
        self._request("POST", "/emit", {"username": username, "event": event, "data": data})

    def emit_bytes(self, username: str, event: str, data: bytes) -> None:
        """Send an event with an attachment. Raises RequestError."""
        request = {"username": username, "event": event, "base64": b64encode(data).decode()}
        self._request("POST", "/emit", request)

    def emit_stamped(self, username: str, event: str) -> None:
        """The same with the time of sending as data, `sent_at`. Raises RequestError."""
        self._request("POST", "/emit", {"username": username, "event": event, "stamped": True})

    def refuse(self, on: bool = True) -> None:
        """Refuse every connection from now on (or no longer)."""
        self._request("POST", "/refuse", {"on": on})

    def cut_off(self, on: bool = True) -> None:
        """Accept every connection from now on, and end it at once (or no longer)."""
        self._request("POST", "/cut-off", {"on": on})

    def delay_connect(self, seconds: float) -> None:
        """Accept or refuse each connection only after this long."""
        self._request("POST", "/delay-connect", {"seconds": seconds})

    def acknowledge(self, on: bool = True) -> None:
        """Answer each `cleanup_report` from now on (or no longer)."""
        self._request("POST", "/acknowledge", {"on": on})

    def reports(self, username: str) -> list[dict[str, Any]]:
        """The `cleanup_report`s of a user since the server's start, oldest first."""
        return self.heard(username, "cleanup_report")

    def heard(self, username: str, event: str) -> list[dict[str, Any]]:
        """What came with a user's events of this name since the server's start, oldest first."""
        return [
            data
            for one in self.status()["events"]
            if (one["username"], one["event"]) == (username, event)
            for data in one["data"]
        ]

    def blender(self, username: str) -> dict[str, Any] | None:
        """The connected Blender of a user, as in the status."""
        found = (one for one in self.status()["blenders"] if one["username"] == username)
        return next(found, None)

    def wait_for_blender(
        self, username: str, timeout: float = 60.0, *, connections: int = 1
    ) -> dict[str, Any]:
        """Wait until a Blender of this user is connected, for the `connections`-th time or later.

        The server counts from its own start. Raises WaitError.
        """

        def connected() -> dict[str, Any] | None:
            one = self.blender(username)
            return one if one is not None and one["connections"] >= connections else None

        return wait_until(
            f"a Blender of {username} at the server", connected, timeout, step=ASK_AGAIN_SECONDS
        )

    def wait_for_event(self, username: str, event: str, timeout: float = 10.0) -> dict[str, Any]:
        """The first event of this name from a user, as in the status. Raises WaitError."""

        def received() -> dict[str, Any] | None:
            for one in self.status()["events"]:
                if (one["username"], one["event"]) == (username, event):
                    return dict(one)
            return None

        return wait_until(
            f"the event {event} from {username}", received, timeout, step=ASK_AGAIN_SECONDS
        )

    def _request(
        self, method: str, path: str, content: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        self._running()
        # Not urllib: it would ask a proxy for 127.0.0.1.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)
        try:
            connection.request(method, path, None if content is None else json.dumps(content))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RequestError(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise RequestError(f"{method} {path}: {response.status} {answer.get('error')}")
        return answer

    def close(self) -> None:
        """End it, if it runs. The Blenders that it started live on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def __enter__(self) -> Engine:
        return self if self._process is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
