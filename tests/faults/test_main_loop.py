"""The countdown ends while an operator has Blender's events to itself.

A main thread that is blocked: see `tests/blender/test_main_thread.py`.
"""

from __future__ import annotations

import pytest

from tests.blender.conftest import MakeStage
from tests.blender.observe import THREE_D_VIEW, wait_unreachable
from tests.blender.stage import edit
from tests.faults.outcome import assert_closed_once, assert_kept

IN_THE_VIEW = """
region = next(region for region in area.regions if region.type == "WINDOW")
with bpy.context.temp_override(window=window, area=area, region=region):
    result = list({operator}("INVOKE_DEFAULT"))
"""

SWALLOW = """
class Swallow(bpy.types.Operator):
    bl_idname, bl_label = "wm.swallow", "Takes every event, and goes on for ever"
    def invoke(self, context, event):
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}
    def modal(self, context, event):
        return {"RUNNING_MODAL"}
bpy.utils.register_class(Swallow)
"""


@pytest.mark.parametrize("operator", ["bpy.ops.transform.translate", "bpy.ops.wm.swallow"])
def test_a_modal_operator_runs(make_stage: MakeStage, operator: str) -> None:
    """A person has let go of the mouse in the middle of it, and left."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(SWALLOW)
    running = blender.run(THREE_D_VIEW + IN_THE_VIEW.format(operator=operator))
    assert running == ["RUNNING_MODAL"]
    stage.engine.kill()
    wait_unreachable(blender)
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
