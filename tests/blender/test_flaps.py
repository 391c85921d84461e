"""One outage after the other: the original's timers pile up, and close a connected Blender."""

from __future__ import annotations

import time
from pathlib import Path

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    CLOSING,
    SAVING,
    UNREACHABLE,
    assert_stays_connected,
    assert_untouched,
    count,
    wait_countdown,
    wait_lost,
)
from tests.blender.process_traces import line_threads
from tests.blender.stage import EDIT, ROOM, edit, saved_location, status

LOST = r"Trying to connect\.$"
STARTED = "cleanup timer started"
CANCELLED = "cleanup timer cancelled"

# Attempts after 0.1, 0.2, 0.3, 0.3 and 0.3 s: 1.2 s in all.
QUICK = {"retry_delay": 0.1, "retry_delay_max": 0.3}


def test_three_losses_each_into_the_countdown(make_stage: MakeStage, template: Path) -> None:
    stage = make_stage(**QUICK, cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    for number in range(1, 4):
        lost_at = time.monotonic()
        stage.engine.kill()
        deadline = wait_countdown(blender, since=lost_at)
        now = status(blender)
        assert (now["outages"], now["phase"]) == (number, "counting-down")
        # One timer: a countdown of its own, which no earlier one shortens.
        assert (count(blender, STARTED), count(blender, CANCELLED)) == (number, number - 1)
        assert deadline > lost_at + stage.cleanup_timeout
        stage.engine.start()
        stage.wait_connected(blender)
        time.sleep(stage.lasting)
    assert_stays_connected(blender, deadline)
    now = status(blender)
    assert (now["outages"], now["recoveries"]) == (3, 3)
    assert (count(blender, STARTED), count(blender, CANCELLED)) == (3, 3)
    threads = {"lifeline": 1, "lifeline-clock": 1, "lifeline-link": 1}
    # A server that is asked whether it lives has one more, for a moment.
    blender.wait_alive("its threads", lambda: line_threads(blender.pid) == threads, 10)
    assert_untouched(blender, stage.file, template)


def test_four_flaps_and_then_lost_for_good(make_stage: MakeStage) -> None:
    """One clean-up, at the end of the last outage's countdown."""
    stage = make_stage(retry_delay=0.3, retry_delay_max=1.5, cleanup_timeout=3)
    blender = stage.launch(stage.file)
    edit(blender)
    for _ in range(4):
        lost_at = time.monotonic()
        stage.engine.kill()
        wait_lost(blender, since=lost_at)
        stage.engine.start()
        stage.wait_connected(blender)
    assert count(blender, UNREACHABLE) == 0
    assert status(blender)["outages"] == 4
    lost_at = time.monotonic()
    stage.engine.kill()
    stage.assert_closed(blender)
    assert count(blender, LOST) == 5
    assert [count(blender, one) for one in (STARTED, SAVING, CLOSING)] == [1, 1, 1]
    saved_at = blender.wait_for_line(SAVING, 1).at
    assert saved_at > lost_at + stage.cleanup_timeout
    assert saved_location(stage.file) == EDIT
