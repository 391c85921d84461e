"""The host thread dies in mid-outage."""

from __future__ import annotations

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import LINE_SECONDS, count, wait_unreachable
from tests.blender.stage import EDIT, edit, saved_location

STARTED_AGAIN = "The host thread has ended"
# More than a line bears.
TOO_OFTEN = 6


def inject_fault(blender: Blender) -> None:
    blender.run("import cr8_router; cr8_router.lifeline.session.connection()._line._inject_fault()")


def _wait_count(blender: Blender, deaths: int) -> None:
    blender.wait_alive(
        f"death {deaths}", lambda: count(blender, STARTED_AGAIN) >= deaths, LINE_SECONDS
    )


def test_another_one_counts_down_and_closes(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    inject_fault(blender)
    died = blender.wait_for_line(STARTED_AGAIN, 30)
    wait_unreachable(blender, since=died.at)
    stage.assert_closed(blender)
    assert count(blender, "cleanup timer started") == 2
    assert saved_location(stage.file) == EDIT


def test_a_host_that_keeps_dying_is_replaced(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=1, retry_attempts=1)
    blender = stage.launch(stage.file)
    edit(blender)
    for number in range(TOO_OFTEN):
        inject_fault(blender)
        _wait_count(blender, number + 1)
    blender.wait_for_line("another one is started", 30)
    stage.wait_connected(blender)
    stage.engine.kill()
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
