"""`blender -b`: no timers there, so the add-on's own loop."""

from __future__ import annotations

import os
import signal

from lifeline_harness.blender import Blender
from lifeline_harness.profile import SCRIPT_FAILED

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said
from tests.blender.stage import CLOSE_SECONDS, EDIT, Stage, saved_location

SCRIPT = f"""
import bpy, cr8_router
bpy.data.objects["Cube"].location = {EDIT!r}
cr8_router.run()
print("after the loop")
"""


def begin(stage: Stage) -> Blender:
    blender = stage.own(
        Blender.start(
            stage.profile,
            stage.file,
            environment=stage.engine.line("ann"),
            background=True,
            arguments=["--python-expr", SCRIPT],
        )
    )
    one = stage.engine.wait_for_blender("ann", 60)
    assert one["blend_file_path"] == str(stage.file)
    return blender


def test_lost_for_good(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = begin(stage)
    stage.engine.kill()
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[WARNING] Server unreachable after 5 connection attempts. Blender will save and close "
        "in 2 seconds if server does not reconnect.",
        "[INFO] 2-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {stage.file}",
        "[INFO] Closing Blender instance",
    )
    assert not blender.lines.matching("^after the loop$")
    assert saved_location(stage.file) == EDIT


def test_ctrl_c_saves_and_ends_it(make_stage: MakeStage) -> None:
    """Whoever presses it wants the script to end, and nothing guards the work after that."""
    stage = make_stage(terminate="save")
    blender = begin(stage)
    os.kill(blender.pid, signal.SIGINT)
    stage.assert_closed(blender)
    assert stage.journal.entry()["outcome"] == "terminated"
    assert saved_location(stage.file) == EDIT
    assert not blender.lines.matching("^after the loop$")


def test_ctrl_c_where_no_sigterm_is_heard(make_stage: MakeStage) -> None:
    """There it ends the script as it ends any."""
    stage = make_stage(terminate_timeout=0)
    blender = begin(stage)
    os.kill(blender.pid, signal.SIGINT)
    assert blender.wait_exit(CLOSE_SECONDS) == SCRIPT_FAILED
    assert blender.lines.matching("^KeyboardInterrupt$")
