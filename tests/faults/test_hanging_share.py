"""A share whose server is gone: whoever asks for what lies on it waits for ever."""

from __future__ import annotations

from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.preload import hanging

from tests.blender.conftest import MakeStage
from tests.blender.stage import edit
from tests.faults.outcome import assert_kept

# Textures, a sound, a font and a library of the work lie there.
REFER = """
share = {share!r}
image = bpy.data.images.new("Texture", 8, 8)
image.use_fake_user = True
image.filepath_raw, image.file_format = share + "/texture.png", "PNG"
image.save()
image.source = "FILE"
clip = bpy.data.movieclips.load(share + "/texture.png")
clip.use_fake_user = True
bpy.ops.wm.save_as_mainfile(filepath=share + "/library.blend", copy=True)
with bpy.data.libraries.load(share + "/library.blend", link=True) as (there, here):
    here.worlds = there.worlds
bpy.context.scene.world = here.worlds[0]
"""


def test_textures_and_libraries(make_stage: MakeStage, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    stage = make_stage(cleanup_timeout=2)
    environment = {**stage.engine.line("ann"), **hanging(share, tmp_path)}
    blender = stage.own(Blender.start(stage.profile, stage.file, environment=environment))
    blender.wait_ready()
    stage.wait_connected(blender)
    blender.run(REFER.format(share=str(share)))
    edit(blender)
    gone = Path(f"{share}.gone")
    gone.touch()
    try:
        stage.engine.kill()
        assert_kept(stage, blender, stage.file)
    finally:
        gone.unlink()
