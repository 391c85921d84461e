"""Time does not pass as it should: the process is stopped, the wall clock is set."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.journal import check
from lifeline_harness.wall_clock import DAY, WallClock

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    SAVING,
    assert_stays_connected,
    assert_untouched,
    wait_countdown,
    wait_unreachable,
)
from tests.blender.stage import ROOM, edit
from tests.faults.hang_up import HangUp
from tests.faults.outcome import assert_closed_once, assert_kept

# Attempts after 0.1, 0.2, 0.3, 0.3 and 0.3 s: 1.2 s in all.
QUICK = {"retry_delay": 0.1, "retry_delay_max": 0.3}

# From a thread: the timers that our snippets need are Blender's.
WATCH = """
import threading, time
def watch(before=time.time() - time.monotonic()):
    while abs(off := time.time() - time.monotonic() - before) < 10:
        time.sleep(0.02)
    print(f"The wall clock is off by {off:.0f} s", flush=True)
threading.Thread(target=watch, daemon=True).start()
"""


def stop_for(blender: Blender, seconds: float) -> float:
    """Stop the whole process for so long; when it went on, in seconds of the monotonic clock."""
    os.kill(blender.pid, signal.SIGSTOP)
    time.sleep(seconds)
    now = time.monotonic()
    os.kill(blender.pid, signal.SIGCONT)
    return now


def test_stopped_for_three_countdowns(make_stage: MakeStage) -> None:
    """The countdown goes on where it was, after another attempt to connect.

    It goes on from where something was due next, since only that can come late: the warning, or
    after it the end of an attempt.
    """
    warn_before, attempt = 3, 0.5
    stage = make_stage(**QUICK, cleanup_timeout=8, warn_before=warn_before, connect_timeout=attempt)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    with HangUp(stage.engine.port) as server:
        left = deadline - time.monotonic()
        continued_at = stop_for(blender, 3 * stage.cleanup_timeout)
        assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    saving = blender.wait_for_line(SAVING, 1)
    assert saving.at > continued_at + min(left - attempt, warn_before) - 0.1
    assert [at for at in server.connected_at if continued_at < at < saving.at]


def test_the_server_is_back_while_blender_is_stopped(make_stage: MakeStage, template: Path) -> None:
    """The end of the countdown has long passed on the clock, and yet nothing closes."""
    stage = make_stage(**QUICK, cleanup_timeout=5)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    os.kill(blender.pid, signal.SIGSTOP)
    stage.engine.start()
    continued_at = stop_for(blender, stage.cleanup_timeout + 3)
    stage.wait_connected(blender)
    assert_stays_connected(blender, continued_at + stage.cleanup_timeout)
    assert_untouched(blender, stage.file, template)
    check(stage.journal.entry(), outcome="recovered", safe=None)


@pytest.mark.parametrize("days", [1, -1])
def test_the_wall_clock_is_set(make_stage: MakeStage, tmp_path: Path, days: int) -> None:
    """No countdown is measured by it, though Blender's own timers are."""
    clock = WallClock(tmp_path / "clock")
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.start(stage.file, stage.engine.line("ann") | clock.environment)
    stage.wait_connected(blender)
    edit(blender)
    blender.run(WATCH)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    clock.shift(days * DAY)
    blender.wait_for_line(f"^The wall clock is off by {days * DAY:.0f} s$", 30)
    assert time.monotonic() < deadline, "too slow to show anything"
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    assert blender.wait_for_line(SAVING, 1).at > deadline - 0.5
