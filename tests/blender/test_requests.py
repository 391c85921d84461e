"""What a person asks for, through the buttons' operators."""

from __future__ import annotations

import time
from pathlib import Path

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    assert_said,
    assert_stays_connected,
    assert_untouched,
    wait_countdown,
    wait_lost,
    wait_phase,
)
from tests.blender.stage import EDIT, ROOM, edit, saved_location, status


def test_kept_open_then_released(make_stage: MakeStage, template: Path) -> None:
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.run("bpy.ops.cr8.keep_open()")
    wait_phase(blender, "held")
    time.sleep(max(0.0, deadline + 1.5 - time.monotonic()))
    assert status(blender)["phase"] == "held"
    assert_untouched(blender, stage.file, template)

    released_at = time.monotonic()
    blender.run("bpy.ops.cr8.release()")
    deadline = wait_countdown(blender, since=released_at)
    # Afresh: the whole countdown.
    assert deadline > released_at + stage.cleanup_timeout - 0.5
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_kept_open_until_the_server_is_back(make_stage: MakeStage, template: Path) -> None:
    """Kept open, it goes on trying."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.run("bpy.ops.cr8.keep_open()")
    wait_phase(blender, "held")
    stage.engine.start()
    stage.wait_connected(blender)
    assert_stays_connected(blender, deadline)
    assert_untouched(blender, stage.file, template)


def test_extended_then_closed_at_once(make_stage: MakeStage) -> None:
    """With the real countdown of five minutes, of which nobody waits for the end."""
    stage = make_stage(cleanup_timeout=300)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.run("bpy.ops.cr8.extend(seconds=120)")
    blender.wait_alive("the extension", lambda: float(str(status(blender)["remaining"])) > 300, 30)
    remaining = float(str(status(blender)["remaining"]))
    assert abs(time.monotonic() + remaining - (deadline + 120)) < 5
    blender.run("bpy.ops.cr8.save_and_close()")
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[WARNING] Server unreachable after 5 connection attempts. Blender will save and close "
        "in 5 minutes if server does not reconnect.",
        "[INFO] 5-minute server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {stage.file}",
        "[INFO] Closing Blender instance",
    )
    assert saved_location(stage.file) == EDIT


def test_changed_between_the_save_and_the_quit(make_stage: MakeStage) -> None:
    """Closed so soon after the loss that the quit has to wait: what is done meanwhile is kept."""
    stage = make_stage(cleanup_timeout=300, quit_floor=6)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    wait_lost(blender)
    blender.run("bpy.ops.cr8.save_and_close()")
    wait_phase(blender, "quitting")
    edit(blender)
    # What a person does can be undone, and Blender then knows that the file has changed.
    blender.run("bpy.ops.ed.undo_push(message='Moved')")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
