"""`blender -b`: no timers there, so the add-on's own loop."""

from __future__ import annotations

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said
from tests.blender.stage import EDIT, saved_location

SCRIPT = f"""
import bpy, cr8_router
bpy.data.objects["Cube"].location = {EDIT!r}
cr8_router.run()
print("after the loop")
"""


def test_lost_for_good(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
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
