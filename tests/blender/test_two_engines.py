"""Two engines behind nginx, with a Redis between them: one goes, and Blender is at the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lifeline_harness.balanced import Balancer, Redis
from lifeline_harness.display import Display
from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile
from lifeline_harness.waiting import wait_until

from tests.blender.observe import UNREACHABLE, assert_stays_connected, assert_untouched, count
from tests.blender.stage import CONNECT_SECONDS, Stage, edit, staged, status

# Attempts after 1, 2, 3, 3 and 3 s: an engine takes seconds to start on a busy computer.
PATIENT = {"retry_delay": 1, "retry_delay_max": 3, "cleanup_timeout": 300}
USER = "ann"


class Pair:
    """A Blender at one of two engines, which it reaches by one address."""

    def __init__(self, stage: Stage, other: Engine, url: str) -> None:
        self.stage = stage
        self.engines = (stage.engine, other)
        self.blender = stage.start(stage.file, {**stage.engine.line(USER), "WS_URL": url})
        self.connected_at()

    def connected_at(self) -> Engine:
        """The engine that has the Blender, which says so itself."""

        def found() -> Engine | None:
            return next((it for it in self.engines if it.runs and it.blender(USER)), None)

        engine = wait_until("a Blender at one engine", found, CONNECT_SECONDS)
        self.blender.wait_alive(
            "connected", lambda: bool(status(self.blender)["connected"]), CONNECT_SECONDS
        )
        return engine


@pytest.fixture
def pair(tmp_path: Path, display: Display, template: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        redis = stack.enter_context(Redis(tmp_path / "redis"))
        options = ["--redis", redis.url]
        stage = stack.enter_context(
            staged(tmp_path / "first", display, template, options, **PATIENT)
        )
        other = Engine(
            Profile(tmp_path / "second"), blenders=False, token=stage.engine.token, options=options
        )
        stack.enter_context(other)
        addresses = [f"127.0.0.1:{engine.port}" for engine in (stage.engine, other)]
        balancer = stack.enter_context(Balancer(tmp_path / "nginx", addresses))
        yield Pair(stage, other, balancer.url)


def assert_nothing_happened(pair: Pair, template: Path) -> None:
    assert_stays_connected(pair.blender, 0.0)
    assert count(pair.blender, UNREACHABLE) == 0
    assert_untouched(pair.blender, pair.stage.file, template)


def test_one_is_killed(pair: Pair, template: Path) -> None:
    edit(pair.blender)
    here = pair.connected_at()
    (other,) = (engine for engine in pair.engines if engine is not here)
    here.kill()
    other.wait_for_blender(USER, CONNECT_SECONDS)
    assert pair.connected_at() is other
    other.emit(USER, "hello")
    assert_nothing_happened(pair, template)
    assert status(pair.blender)["recoveries"] == 1


def test_a_rolling_restart_twice(pair: Pair, template: Path) -> None:
    edit(pair.blender)
    stops = 0
    for _ in range(2):
        for engine in pair.engines:
            stops += engine.blender(USER) is not None
            engine.stop()
            pair.connected_at()
            engine.start()
    assert stops >= 2
    assert_nothing_happened(pair, template)
