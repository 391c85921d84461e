"""bpy, the Python module: the add-on's own loop, ended by `sys.exit(0)`."""

from __future__ import annotations

import os
import time

from lifeline_harness.blender import Blender
from lifeline_harness.profile import ADDON

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, UNREACHABLE, assert_said, count
from tests.blender.stage import CLOSE_SECONDS, EDIT, ROOM, Stage
from tests.faults.bpy_process import assert_edit_saved, start, wait_connected

# The words of the README, behind an edit.
REGISTER = """
import sys
sys.path[:0] = {packages!r}
import bpy
bpy.context.preferences.system.use_online_access = True
bpy.ops.wm.open_mainfile(filepath={file!r})
bpy.data.objects["Cube"].location = {edit!r}

import cr8_router

cr8_router.register()
"""
LOOP = """
cr8_router.run()
print("after the loop")
"""
LOSS_SECONDS = 30.0


def script(stage: Stage, end: str = "") -> str:
    packages = [str(ADDON.parent), os.environ["LIFELINE_PYTHON"]]
    return REGISTER.format(packages=packages, file=str(stage.file), edit=EDIT) + end


def assert_cleaned_up(stage: Stage, blender: Blender) -> None:
    """Saved and ended, as the original says it; the edit is on disk."""
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[WARNING] Server unreachable after 5 connection attempts. Blender will save and close "
        f"in {stage.cleanup_timeout:.0f} seconds if server does not reconnect.",
        f"[INFO] {stage.cleanup_timeout:.0f}-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {stage.file}",
        "[INFO] Closing Blender instance",
    )
    assert not blender.lines.matching("^after the loop$")
    assert_edit_saved(stage)


def test_lost_for_good(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=3)
    blender = start(stage, script(stage, LOOP))
    assert wait_connected(stage, blender)["blend_file_path"] == str(stage.file)
    stage.engine.kill()
    assert_cleaned_up(stage, blender)


def test_back_in_the_countdown_then_lost_for_good(make_stage: MakeStage) -> None:
    """It stays with the server that is back, and ends with it."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = start(stage, script(stage, LOOP))
    wait_connected(stage, blender)
    stage.engine.kill()
    told = blender.wait_for_line(UNREACHABLE, LOSS_SECONDS)
    stage.engine.start()
    wait_connected(stage, blender)
    deadline = told.at + stage.cleanup_timeout
    assert time.monotonic() < deadline, "too slow to show anything"
    while time.monotonic() < deadline + 1.5:
        assert blender.exit_code() is None
        assert stage.engine.blender("ann") is not None
        time.sleep(0.1)
    assert count(blender, SAVING) == count(blender, CLOSING) == 0
    lost = time.monotonic()
    stage.engine.kill()
    blender.wait_for_line(UNREACHABLE, LOSS_SECONDS, since=lost)
    assert_cleaned_up(stage, blender)


def test_a_script_that_ends_by_itself(make_stage: MakeStage) -> None:
    """bpy crashes or hangs at exit over what is still registered: the add-on must not be."""
    stage = make_stage()
    blender = start(stage, script(stage))
    assert blender.wait_exit(CLOSE_SECONDS) == 0
