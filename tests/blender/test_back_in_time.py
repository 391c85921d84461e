"""The server is back before the attempts are spent: nothing happens."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    UNREACHABLE,
    assert_stays_connected,
    assert_untouched,
    count,
    wait_lost,
)
from tests.blender.stage import edit, status

# Attempts after 1, 2, 3, 3 and 3 s: 12 s in all, for a server that takes a second to start, and
# several on a busy computer.
PATIENT = {"retry_delay": 1, "retry_delay_max": 3}


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_restarted(make_stage: MakeStage, template: Path, how: str) -> None:
    stage = make_stage(**PATIENT, cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    lost_at = time.monotonic()
    getattr(stage.engine, how)()
    wait_lost(blender)
    stage.engine.start()
    stage.wait_connected(blender)
    assert_stays_connected(blender, lost_at + stage.outage)
    now = status(blender)
    assert (now["outages"], now["recoveries"]) == (1, 1)
    assert count(blender, UNREACHABLE) == 0
    assert_untouched(blender, stage.file, template)


def test_back_for_the_last_attempt(make_stage: MakeStage, template: Path) -> None:
    """The original looks once, at the wrong moment, and then closes beside a living server."""
    # The last attempt comes 8 s after the fourth.
    stage = make_stage(retry_delay=0.5, retry_delay_max=8, cleanup_timeout=1)
    blender = stage.launch(stage.file)
    lost_at = time.monotonic()
    stage.engine.kill()
    blender.wait_for_line("attempt 4 of 5", 30)
    stage.engine.start()
    stage.wait_connected(blender)
    blender.wait_for_line("attempt 5 of 5", 1)
    assert_stays_connected(blender, lost_at + stage.outage)
    assert count(blender, UNREACHABLE) == 0
    assert_untouched(blender, stage.file, template)


def test_frozen_for_a_while(make_stage: MakeStage, template: Path) -> None:
    """Noticed at ping interval and ping time-out; thawed, the line is back."""
    stage = make_stage(**PATIENT, cleanup_timeout=1)
    blender = stage.launch(stage.file)
    frozen_at = time.monotonic()
    stage.engine.freeze()
    lost_at = blender.wait_for_line("Server stopped answering", 30).at
    # The last PING may have come right before the freeze, or a second earlier.
    assert 0.9 < lost_at - frozen_at < 20
    assert status(blender)["reason"] == "ping-timeout"
    time.sleep(max(0.0, lost_at + 1.5 - time.monotonic()))
    stage.engine.thaw()
    stage.wait_connected(blender)
    assert_stays_connected(blender, lost_at + stage.outage)
    assert count(blender, UNREACHABLE) == 0
    assert_untouched(blender, stage.file, template)


def test_a_living_server_says_goodbye(make_stage: MakeStage, template: Path) -> None:
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    lost_at = time.monotonic()
    stage.engine.disconnect("ann")
    wait_lost(blender)
    stage.engine.wait_for_blender("ann", 30, connections=2)
    stage.wait_connected(blender)
    assert_stays_connected(blender, lost_at + stage.outage)
    assert_untouched(blender, stage.file, template)


def test_two_outages_with_a_pause(make_stage: MakeStage, template: Path) -> None:
    """What is left of the first one must not meet the second."""
    stage = make_stage(**PATIENT, cleanup_timeout=1)
    blender = stage.launch(stage.file)
    for _ in range(2):
        lost_at = time.monotonic()
        stage.engine.kill()
        wait_lost(blender, since=lost_at)
        stage.engine.start()
        stage.wait_connected(blender)
        assert_stays_connected(blender, time.monotonic() + 0.5)
    assert_stays_connected(blender, lost_at + stage.outage)
    assert status(blender)["outages"] == 2
    assert count(blender, UNREACHABLE) == 0
    assert_untouched(blender, stage.file, template)


def test_a_command_that_is_not_answered_yet_is_dropped(make_stage: MakeStage) -> None:
    """Whoever waited for it is gone."""
    stage = make_stage(**PATIENT)
    blender = stage.launch(stage.file)
    blender.run(
        "import cr8_router\ncr8_router.handler().on('command_received', lambda message: None)"
    )
    working_on = (
        "from cr8_router.lifeline import session; result = session.connection().working_on()"
    )
    command = {"type": "addon_command", "addon_id": "sets", "command": "build", "message_id": "7"}
    stage.engine.emit("ann", "command_received", command)
    blender.wait_alive("the command", lambda: blender.run(working_on) == "sets.build", 30)
    stage.engine.kill()
    blender.wait_for_line("Dropped, since nobody waits for the answer any more: sets.build$", 30)
    assert blender.run(working_on) is None
