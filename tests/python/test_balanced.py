"""Two engines behind nginx, with a Redis between them: each may go, a Blender is at the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from lifeline_harness.balanced import Balancer, Redis
from lifeline_harness.waiting import wait_until

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder
from tests.python.server import Server

# Several attempts before the first one to count down, on a busy computer too.
PATIENT = {
    "retry_attempts": 5,
    "retry_delay": 0.2,
    "retry_delay_max": 2.0,
    "cleanup_timeout": 300.0,
}
USER = "ann"


class Pair:
    """Two engines that share a Redis, and the address before them."""

    def __init__(self, servers: tuple[Server, Server], url: str) -> None:
        self.servers = servers
        self.url = url

    @property
    def token(self) -> str:
        return self.servers[0].token

    def holders(self) -> list[Server]:
        """Where a Blender is connected, of those that run."""
        return [server for server in self.servers if server.runs and server.status()["blenders"]]

    def split(self) -> tuple[Server, Server]:
        """The one where the Blender is, and the other."""
        (here,) = wait_until("a Blender at one engine", lambda: self.holders() or None, 30.0)
        (other,) = (server for server in self.servers if server is not here)
        return here, other


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path / "redis"))
        options = ["--redis", redis.url]
        first = stack.enter_context(closing(Server(options=options)))
        second = stack.enter_context(closing(Server(options=options, token=first.token)))
        for server in (first, second):
            server.start()
        addresses = [f"127.0.0.1:{server.port}" for server in (first, second)]
        balancer = stack.enter_context(Balancer(tmp_path / "nginx", addresses))
        yield Pair((first, second), balancer.url)


@pytest.fixture
def balanced(pair: Pair, make_line: MakeLine) -> Recorder:
    recorder = make_line(pair.url, username=USER, token=pair.token, **PATIENT)
    recorder.line.connect()
    recorder.until("connected")
    return recorder


def assert_no_countdown(recorder: Recorder) -> None:
    assert not {"countdown", "warn", "save", "quit"} & set(recorder.kinds()), recorder.kinds()


def test_one_is_killed_and_the_line_is_at_the_other(pair: Pair, balanced: Recorder) -> None:
    here, other = pair.split()
    here.kill()
    balanced.until("recovered")
    assert [one["username"] for one in other.status()["blenders"]] == [USER]
    assert_no_countdown(balanced)
    assert balanced.line.status()["recoveries"] == 1


def test_one_is_frozen_and_the_line_is_at_the_other(pair: Pair, balanced: Recorder) -> None:
    """By its pings: nginx has each probe answered by the engine that lives."""
    here, other = pair.split()
    here.freeze()
    assert balanced.until("lost").reason == "ping-timeout"
    balanced.until("recovered")
    assert [one["username"] for one in other.status()["blenders"]] == [USER]
    assert_no_countdown(balanced)


def test_a_rolling_restart_twice_begins_no_countdown(pair: Pair, balanced: Recorder) -> None:
    moved = 0
    for _ in range(2):
        for server in pair.servers:
            held = bool(server.status()["blenders"])
            server.stop()
            if held:
                balanced.until("connected")
                moved += 1
            server.start()
    # The first that is stopped, or the second, has it, each time round.
    assert moved >= 2
    assert_no_countdown(balanced)
    pair.split()
    assert balanced.line.status()["phase"] == "connected"


def test_an_event_from_the_other_engine_arrives(pair: Pair, balanced: Recorder) -> None:
    _, other = pair.split()
    other.emit(USER, "across", {"from": "the other"})
    event = balanced.until("server")
    while event.name != "across":
        event = balanced.until("server")
    assert event.args == [{"from": "the other"}]
