"""Who is connected to a server, and says when that is over: ours, and the peer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from lifeline_bench.errors import BenchError
from lifeline_bench.site import Site

PEER_NAME = "python-socketio's client: its disconnect handler"

_CONNECTED_SECONDS = 20.0
# What a client needs to be one that has been there for a while.
_SETTLED_SECONDS = 0.3

# Each says "connected", and when the connection is lost, by the monotonic clock that all share.
_OURS = """
import os, time
from cr8_lifeline import Lifeline
line = Lifeline({"policy_cache": "off", "retry_delay": 60, "retry_delay_max": 60})
line.connect()
while not line.status()["connected"]:
    time.sleep(0.001)
print("connected", flush=True)
while line.status()["connected"]:
    time.sleep(0.0002)
print(time.monotonic(), flush=True)
os._exit(0)
"""
_PEER = """
import os, time
import socketio
client = socketio.Client(reconnection=False)

@client.on("disconnect", namespace="/blender")
def lost(*_reason):
    print(time.monotonic(), flush=True)
    os._exit(0)

client.connect(
    os.environ["WS_URL"],
    auth={"token": os.environ["CR8_AUTH_TOKEN"], "username": os.environ["CR8_USERNAME"],
          "blend_file_path": ""},
    namespaces=["/blender"],
    socketio_path="/ws/socket.io",
    transports=["websocket"],
)
print("connected", flush=True)
client.wait()
"""


class Client:
    """A process that is connected, and says when that is over."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._said = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.connected_at = time.monotonic()
        if self._line(0, _CONNECTED_SECONDS) is None:
            self.close()
            raise BenchError(f"{environment['CR8_USERNAME']} does not connect")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._said:
                self._lines.append(line.strip())
                self._said.notify_all()

    def _line(self, number: int, timeout: float) -> str | None:
        with self._said:
            self._said.wait_for(lambda: len(self._lines) > number, timeout)
            return self._lines[number] if len(self._lines) > number else None

    def lost_at(self, timeout: float) -> float | None:
        """None: not within so many seconds."""
        line = self._line(1, timeout)
        return None if line is None else float(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def both_connected(
    site: Site,
    line: Callable[[str], Mapping[str, str]],
    settings: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> tuple[Client, Client]:
    """Ours and the peer's, at the same server, each a user of its own. Raises BenchError.

    line: the variables by which a user finds it. settings: of ours. prefix: what starts them.
    """
    ours = Client(
        [*prefix, sys.executable, "-c", _OURS],
        {**line("ours"), **(settings or {}), "PYTHONPATH": str(site.packages)},
    )
    try:
        peer = Client([*prefix, str(site.peers), "-c", _PEER], {**line("peer"), "PYTHONPATH": ""})
    except BenchError:
        ours.close()
        raise
    time.sleep(_SETTLED_SECONDS)
    return ours, peer
