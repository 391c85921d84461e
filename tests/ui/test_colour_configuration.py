"""A file of a studio with colour spaces of its own, opened where these are not: Blender 5.0 asks a
person before it overwrites such a file, and would change its colour spaces."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lifeline_harness import bpy_module
from lifeline_harness.profile import ADDON

from tests.blender.conftest import MakeStage
from tests.blender.stage import CLOSE_SECONDS, EDIT
from tests.faults.bpy_process import start, wait_connected
from tests.faults.saving_scene import not_saved, saving

PYTHON = f"{bpy_module.VARIABLE}_5_0"

AUTHOR = """
import bpy
bpy.ops.wm.open_mainfile(filepath={file!r})
image = bpy.data.images.new("Studio", 4, 4, float_buffer=True)
image.use_fake_user = True
image.colorspace_settings.name = "Studio Linear"
image.pack()
bpy.ops.wm.save_mainfile()
"""
ELSEWHERE = """
import sys
sys.path[:0] = {packages!r}
import bpy
bpy.context.preferences.system.use_online_access = True
bpy.ops.wm.open_mainfile(filepath={file!r})
assert bpy.data.colorspace.is_missing_opencolorio_config
bpy.data.objects["Cube"].location = {edit!r}
import cr8_router
cr8_router.register()
cr8_router.run()
"""


def configuration(folder: Path) -> Path:
    """Blender's own one, in which a colour space is called otherwise."""
    found = (
        Path(bpy_module.python(PYTHON))
        .parents[1]
        .glob("lib/python*/site-packages/bpy/5.0/datafiles/colormanagement")
    )
    ours = shutil.copytree(next(found), folder / "studio")
    file = ours / "config.ocio"
    text = file.read_text(encoding="utf-8")
    assert "Linear Rec.709" in text
    file.write_text(text.replace("Linear Rec.709", "Studio Linear"), encoding="utf-8")
    return file


def test_a_file_of_other_colour_spaces_is_not_overwritten(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    stage = make_stage(cleanup_timeout=2)
    author = bpy_module.start(
        stage.profile,
        AUTHOR.format(file=str(stage.file)),
        environment={"OCIO": str(configuration(tmp_path))},
        variable=PYTHON,
    )
    assert stage.own(author).wait_exit(CLOSE_SECONDS) == 0
    before = stage.file.read_bytes()

    packages = [str(ADDON.parent), os.environ["LIFELINE_PYTHON"]]
    source = ELSEWHERE.format(packages=packages, file=str(stage.file), edit=EDIT)
    blender = start(stage, source, PYTHON)
    wait_connected(stage, blender)
    stage.engine.kill()
    stage.assert_closed(blender)
    assert stage.file.read_bytes() == before
    (reason,) = not_saved(blender)
    assert reason.startswith(f"{stage.file}: its OpenColorIO configuration is missing here")
    copy = bpy_module.inspect(saving(blender)[-1], variable=PYTHON)
    assert tuple(copy["objects"]["Cube"]["location"]) == EDIT
