"""Another file, or the same one as it was, takes the place of the open one in the countdown.

One that is opened: see `tests/blender/test_countdown.py`.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.blender.conftest import MakeStage
from tests.blender.observe import SAVING, wait_countdown
from tests.blender.stage import ROOM, edit
from tests.faults.outcome import assert_closed_once, assert_kept

BEFORE = (7.0, 7.0, 7.0)


def test_a_new_file(make_stage: MakeStage, template: Path) -> None:
    """It has no name: its work is a recovery copy."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.run("bpy.ops.wm.read_homefile()")
    assert time.monotonic() < deadline, "too slow to show anything"
    assert blender.run("result = bpy.data.filepath") == ""
    edit(blender)
    saving = blender.wait_for_line(SAVING, 30)
    copy = Path(saving.text.partition("file: ")[2])
    assert copy.parent == stage.profile.folder / "datafiles" / "cr8_recovery"
    entry = assert_kept(stage, blender, copy)
    assert entry["saves"][-1]["recovery"]
    assert_closed_once(blender)
    assert stage.file.read_bytes() == template.read_bytes()


def test_reverted(make_stage: MakeStage) -> None:
    """What is done after it is saved, and nothing of what was given up."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender, BEFORE)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.run("bpy.ops.wm.revert_mainfile()")
    assert time.monotonic() < deadline, "too slow to show anything"
    assert blender.run("result = tuple(bpy.data.objects['Cube'].location)") == [0, 0, 0]
    edit(blender)
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
