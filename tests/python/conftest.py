"""Servers, and lines that are closed in the end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cr8_lifeline import Lifeline
from lifeline_harness.gateway import Gateway
from lifeline_harness.object_store import ObjectStore
from lifeline_harness.waiting import wait_until

from tests.python import traces
from tests.python.recorder import Recorder
from tests.python.server import Server

MakeLine = Callable[..., Recorder]

# A whole outage in about a second.
COMPRESSED: dict[str, object] = {
    "retry_attempts": 2,
    "retry_delay": 0.02,
    "retry_delay_max": 0.05,
    "retry_jitter": 0.01,
    "connect_timeout": 1.0,
    "cleanup_timeout": 0.4,
    "warn_before": [0.2],
    "quit_floor": 0.1,
    "policy_cache": "off",
    # Those that look at it ask for it.
    "early_copy": False,
}


@pytest.fixture
def make_line() -> Iterator[MakeLine]:
    """Make a line with compressed settings and any others that are named. It is not connected.

    component: the policy that is given beside the settings.
    """
    lines: list[Lifeline] = []

    def make(server_url: str, component: bytes | None = None, **settings: object) -> Recorder:
        given = {**COMPRESSED, "server_url": server_url, **settings}
        lines.append(Lifeline(given, component, environ={}))
        return Recorder(lines[-1])

    yield make
    for line in lines:
        assert line.close(30.0)
    wait_until("the end of every thread", lambda: not traces.threads(), 30.0)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The URL of a server that is not there."""
    # Bound, so that nobody else gets the port; not listening, so that it refuses.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"ws://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path / "store") as store:
        yield store


@pytest.fixture
def gateway(store: ObjectStore) -> Iterator[Gateway]:
    with Gateway(store.port) as gateway:
        yield gateway


@pytest.fixture
def patient() -> Iterator[Server]:
    """With the pings of the real engine, which find nothing out for minutes."""
    server = Server(ping_interval=90.0, ping_timeout=120.0)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[Server]:
    # Its pings are those of a server that does not mind a busy machine.
    server = Server(ping_interval=25.0, ping_timeout=20.0)
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """Shared by all tests: it stays alive, and each test is a user of its own."""
    yield shared_server
    shared_server.refuse(False)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """Of one test alone, that may kill it."""
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def username(request: pytest.FixtureRequest) -> str:
    return str(request.node.nodeid)


@pytest.fixture
def connected(make_line: MakeLine, server: Server, username: str) -> Recorder:
    """A line to the shared server, with the news of its connection read."""
    recorder = make_line(server.url, username=username, token=server.token)
    recorder.line.connect()
    recorder.until("connected")
    return recorder


@pytest.fixture(scope="session")
def five_minutes() -> Path:
    """The built policy component."""
    target = Path(__file__).resolve().parents[2] / "target" / "policies"
    file = Path(os.environ.get("LIFELINE_POLICIES", target)) / "five-minutes.wasm"
    assert file.is_file(), f"{file} was not built"
    return file
