"""What lives in memory only, and Blender does not save by itself."""

from __future__ import annotations

from lifeline_harness import blend

from tests.faults.saving_chain import Chain


def test_painted_and_used_by_nothing(chain: Chain) -> None:
    """A person may paint first, and use it next. It is as it was afterwards."""
    answer = chain.run(
        """
one = bpy.data.images.new("Unused", 8, 8)
one.pixels[0] = 0.5
one.update()
result = [one.users, attempt([])["failures"], one.users, one.use_fake_user]
"""
    )
    assert answer == [0, [], 0, False]
    assert blend.inspect(chain.file)["images"]["Unused"]["packed_size"] > 0


def test_what_nothing_uses_is_named(chain: Chain) -> None:
    """Blender drops it, when a person saves, too; its own way to keep it is a fake user."""
    chain.run('for name in ("Gold", "Kept"): bpy.data.materials.new(name)')
    chain.run('bpy.data.materials["Kept"].use_fake_user = True; attempt([])')
    chain.blender.wait_for_line("^.INFO. Nothing uses these, .*: (.*, )?Material Gold$", 5)


def test_what_lies_in_blenders_temporary_folder(chain: Chain) -> None:
    """It goes with Blender: what can be packed is, the rest is named."""
    failures, packed = chain.run(
        """
one = bpy.data.images.new("Downloaded", 8, 8)
one.use_fake_user = True
one.filepath_raw, one.file_format = bpy.app.tempdir + "texture.png", "PNG"
one.save()
one.source = "FILE"
clip = bpy.data.movieclips.load(one.filepath_raw)
clip.use_fake_user = True
result = [attempt([])["failures"], len(one.packed_files)]
bpy.data.movieclips.remove(clip)
"""
    )
    assert packed == 1
    (failure,) = failures
    assert failure == "texture.png in Blender's temporary folder: Blender cannot pack it"
    assert blend.inspect(chain.file)["images"]["Downloaded"]["packed_size"] > 0
