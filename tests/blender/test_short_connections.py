"""A connection that does not last has not ended the outage."""

from __future__ import annotations

from lifeline_harness.blender import Blender
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, UNREACHABLE, count, wait_lost
from tests.blender.stage import EDIT, ROOM, edit, saved_location, status


def test_accepted_and_cut_off_again_and_again(make_stage: MakeStage) -> None:
    """It counts down as if nobody answered, saves and closes; the journal has it as one outage."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.cut_off()
    stage.engine.disconnect("ann")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
    # That of the first return, which was believed, and that of the rest.
    entries = [entry for entry in stage.journal.entries() if entry["pid"] == blender.pid]
    assert [entry["outcome"] for entry in entries] in (["recovered", "quit"], ["quit"])
    cut_off = [one for one in stage.engine.status()["history"] if one["what"] == "connected"]
    assert len(cut_off) > 3


def test_cut_off_a_few_times_and_then_not(make_stage: MakeStage) -> None:
    """Nothing happens."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    for number in range(1, 4):
        stage.engine.disconnect("ann")
        stage.engine.wait_for_blender("ann", connections=number + 1)
    stage.wait_connected(blender)
    assert count(blender, UNREACHABLE) == 0
    assert status(blender)["recoveries"] == 3


def test_two_blenders_of_one_name(make_stage: MakeStage) -> None:
    """Each ends the other's connection: one of them saves and closes, the other one stays."""
    stage = make_stage(options=["--displace"])
    first = stage.launch(stage.file)
    edit(first)
    other_file = stage.new_file("other")
    second = stage.start(other_file, stage.engine.line("ann"))
    edit(second)
    wait_lost(first)
    files = {first: stage.file, second: other_file}

    def ended() -> Blender | None:
        return next((one for one in files if one.exit_code() is not None), None)

    closed = wait_until("the end of one of them", ended, 10 * stage.outage)
    stage.assert_closed(closed)
    assert saved_location(files.pop(closed)) == EDIT
    (stays,) = files
    stage.wait_connected(stays)
    assert count(stays, CLOSING) == 0
