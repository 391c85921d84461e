"""How soon a lost server is known: killed, stopped, frozen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site

TITLE = "A lost server, from the signal to who was connected knowing it"

_ROUNDS = 7
# The real engine's.
_PING_INTERVAL = 90.0
_PING_TIMEOUT = 120.0
_CONNECTED_SECONDS = 20.0
_NOTICED_SECONDS = 5.0
_FROZEN_SECONDS = 15.0
# What a client needs to be one that has been there for a while.
_SETTLED_SECONDS = 0.3
# Longer than a silent line is asked often with the default settings.
_IDLE_SECONDS = 45.0
_KILLED_LIMIT_MS = 10.0
_STOPPED_LIMIT_MS = 100.0
_FROZEN_LIMIT_S = 10.0

_PEER_NAME = "python-socketio's client: its disconnect handler"
_FROZEN_NOTE = (
    f"Frozen: the server pings every {_PING_INTERVAL:g} s and waits {_PING_TIMEOUT:g} s. With the "
    "default settings a line that has been without traffic for longer (15 to 30 s) is left to its "
    "pings, as the peer's; docs/frozen-server.md says why."
)
_BY_SETTINGS = (
    f" Who had not noticed after {_FROZEN_SECONDS:g} s was not waited for: its figure is interval "
    "and time-out, less what had passed since it was connected."
)

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


class _Client:
    """A process that is connected, and says when that is over."""

    def __init__(
        self,
        interpreter: Path | str,
        source: str,
        engine: Engine,
        user: str,
        packages: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        line = {**engine.line(user), **(settings or {})}
        environment = {**os.environ, **line, "PYTHONPATH": packages}
        self._process = subprocess.Popen(
            [str(interpreter), "-c", source],
            env=environment,
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
            raise BenchError(f"{user} does not connect")

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


def measure(site: Site) -> list[Figure]:
    profile = Profile(site.scratch / "loss", addon=False)
    engine = Engine(
        profile, ping_interval=_PING_INTERVAL, ping_timeout=_PING_TIMEOUT, blenders=False
    )
    figures = []
    with engine:
        for what, limit, lose in (
            ("killed", _KILLED_LIMIT_MS, engine.kill),
            ("stopped", _STOPPED_LIMIT_MS, engine.stop),
        ):
            site.tell(f"{what}, {_ROUNDS} times")
            ours, peer = _rounds(site, engine, lose)
            figures.append(
                Figure(
                    row="loss",
                    what=what,
                    unit="ms",
                    ours=ours.median,
                    peer=peer.median,
                    peer_name=_PEER_NAME,
                    goal=Bound(limit),
                    spread=ours.spread,
                    note="Both connected to the same server at once.",
                )
            )
        site.tell("frozen")
        figures.append(_frozen(site, engine, "frozen a moment after it was connected to"))
        site.tell(f"frozen after {_IDLE_SECONDS:g} idle seconds")
        idle = f"frozen after {_IDLE_SECONDS:g} s without traffic, CR8_PROBE_EVERY=3"
        figures.append(_frozen(site, engine, idle, _IDLE_SECONDS, {"CR8_PROBE_EVERY": "3"}))
    return figures


def _both(
    site: Site, engine: Engine, settings: Mapping[str, str] | None = None
) -> tuple[_Client, _Client]:
    ours = _Client(sys.executable, _OURS, engine, "ours", str(site.packages), settings)
    try:
        peer = _Client(site.peers, _PEER, engine, "peer")
    except BenchError:
        ours.close()
        raise
    time.sleep(_SETTLED_SECONDS)
    return ours, peer


def _rounds(site: Site, engine: Engine, lose: Callable[[], None]) -> tuple[Sample, Sample]:
    """Milliseconds: ours, and the peer's."""
    noticed: tuple[list[float], list[float]] = [], []
    for _round in range(_ROUNDS):
        both = _both(site, engine)
        try:
            begun = time.monotonic()
            lose()
            for client, values in zip(both, noticed, strict=True):
                lost_at = client.lost_at(_NOTICED_SECONDS)
                if lost_at is None:
                    raise BenchError(f"not noticed within {_NOTICED_SECONDS:g} s")
                values.append((lost_at - begun) * 1e3)
        finally:
            for client in both:
                client.close()
        engine.start()
    ours, peer = noticed
    return Sample(tuple(ours)), Sample(tuple(peer))


def _frozen(
    site: Site,
    engine: Engine,
    what: str,
    idle: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Figure:
    both = _both(site, engine, settings)
    time.sleep(idle)
    seconds = []
    by_settings = False
    try:
        begun = time.monotonic()
        engine.freeze()
        for client in both:
            lost_at = client.lost_at(max(0.0, begun + _FROZEN_SECONDS - time.monotonic()))
            if lost_at is not None:
                seconds.append(lost_at - begun)
                continue
            # Known by the server's settings, which both were told: waiting would show nothing new.
            seconds.append(_PING_INTERVAL + _PING_TIMEOUT - (begun - client.connected_at))
            by_settings = True
    finally:
        engine.thaw()
        for client in both:
            client.close()
    return Figure(
        row="loss",
        what=what,
        unit="s",
        ours=seconds[0],
        peer=seconds[1],
        peer_name=_PEER_NAME,
        goal=Bound(_FROZEN_LIMIT_S),
        note=_FROZEN_NOTE + (_BY_SETTINGS if by_settings else ""),
    )
