"""What ends Blender, or the add-on, though nobody has asked for that."""

from __future__ import annotations

import pytest
from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import LINE_SECONDS
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.outcome import assert_kept
from tests.faults.saving_scene import recovery_copy, user_data

EXIT = """
import sys
def script():
    sys.exit(3)
bpy.app.timers.register(script)
"""


def assert_rescued(stage: Stage, blender: Blender) -> None:
    """The work is in a recovery copy, and no other is left."""
    blender.wait_for_line("A script has ended Blender", LINE_SECONDS)
    blender.wait_exit(30)
    assert saved_location(recovery_copy(blender, user_data(stage))) == EDIT
    assert len(list(user_data(stage).glob("*.blend"))) == 1
    assert saved_location(stage.file) != EDIT


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "in the countdown"])
def test_a_script_calls_exit(make_stage: MakeStage, connected: bool) -> None:
    """In a timer: Blender ends by it, and asks nobody."""
    stage = make_stage(cleanup_timeout=60)
    blender = stage.launch(stage.file)
    edit(blender)
    if not connected:
        stage.engine.kill()
        blender.wait_for_line(r"the work is in .*\.blend$", 30)
    blender.begin(EXIT)
    assert_rescued(stage, blender)


@pytest.mark.parametrize(
    "read", ["read_factory_settings()", "read_userpref()", "read_factory_userpref()"]
)
def test_a_script_reads_other_preferences(make_stage: MakeStage, read: str) -> None:
    """In which the add-on is not: Blender disables it."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    blender.run(f"bpy.ops.wm.{read}")
    blender.wait_for_line("this one is enabled again$", LINE_SECONDS)
    blender.run(f"bpy.ops.wm.open_mainfile(filepath={str(stage.file)!r})")
    stage.wait_connected(blender)
    edit(blender)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


def test_a_person_disables_it(make_stage: MakeStage) -> None:
    """Then it stays so."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    blender.run("bpy.ops.preferences.addon_disable(module='cr8_router')")
    stage.engine.kill()
    blender.run("import time; time.sleep(1)")
    assert blender.run("import cr8_router; result = cr8_router.handler() is None")
    assert not blender.lines.matching("this one is enabled again$")
