"""Work that Blender keeps outside the file while its user is at it is in it after a clean-up."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lifeline_harness import blend
from lifeline_harness.display import Display

from tests.blender.observe import THREE_D_VIEW
from tests.blender.stage import EDIT, Stage, edit, saved_location, staged
from tests.faults.saving_scene import (
    QUICK,
    launch_all,
    lose,
    not_saved,
    recovery_copy,
    saving,
    user_data,
)

# The longest that Blender can save, for it first writes to a name with one more byte. For 255
# bytes see `test_saving_elsewhere`. (Blender takes a backslash for a slash.)
NAME = "all sorts: \"quoted\" 'quoted' 😀 %s {file} $HOME * ?;&"
NAME += "é" * ((254 - len(f"{NAME}.blend".encode())) // 2)
NAME += "n" * (254 - len(f"{NAME}.blend".encode()))

VERTEX = [9.0, -8.0, 7.5]

# From Python, as an add-on does it: Blender does not count that as a change.
EDIT_MODE = f"""
import bmesh
cube = bpy.data.objects["Cube"]
bpy.context.view_layer.objects.active = cube
bpy.ops.object.mode_set(mode="EDIT")
mesh = bmesh.from_edit_mesh(cube.data)
mesh.verts.ensure_lookup_table()
mesh.verts[0].co = {VERTEX!r}
result = list(cube.data.vertices[0].co)
"""

# 8x8 pixels: a texture on the disk, one that was never saved, and two of several tiles.
PAINT = """
def image(name, **options):
    found = bpy.data.images.new(name, 8, 8, alpha=True, **options)
    found.use_fake_user = True
    return found

texture = image("Texture")
texture.filepath_raw, texture.file_format = {path!r}, "PNG"
texture.save()
texture.source = "FILE"
texture.reload()
painted = [
    texture,
    image("New"),
    image("Float", float_buffer=True),
    image("Tiles", tiled=True),
    image("FloatTiles", tiled=True, float_buffer=True),
]
result = {{}}
for one in painted:
    one.pixels.foreach_set({pixels!r})
    one.update()
    result[one.name] = list(one.pixels)
assert all(one.is_dirty for one in painted)
"""

# A linked image's pixels have no place in this file at all.
PAINT_LINKED = """
library = {path!r}
one = bpy.data.images.new("Linked", 8, 8, alpha=True)
one.pack()
bpy.data.libraries.write(library, {{one}}, fake_user=True)
bpy.data.images.remove(one)
with bpy.data.libraries.load(library, link=True) as (_, wanted):
    wanted.images = ["Linked"]
one = wanted.images[0]
one.pixels.foreach_set({pixels!r})
one.update()
result = list(one.pixels)
"""

TEXTS = """
text = bpy.data.texts.load({path!r})
text.write("edited ")
assert text.is_dirty and not text.is_in_memory
result = text.as_string()
"""

# With a topology that changes, sculpting works on a mesh of its own.
SCULPT = """
region = next(region for region in area.regions if region.type == "WINDOW")
with bpy.context.temp_override(window=window, area=area, region=region):
    bpy.ops.mesh.primitive_uv_sphere_add()
    sphere = bpy.context.active_object
    sphere.name = "Sphere"
    bpy.ops.object.mode_set(mode="SCULPT")
    bpy.ops.sculpt.dynamic_topology_toggle()
    steps = [
        {
            "name": "", "location": (0, 0, 1), "size": 80, "pressure": 1, "time": step / 10,
            "mouse": (region.width / 2 + 5 * step, region.height / 2),
            "mouse_event": (region.width / 2 + 5 * step, region.height / 2),
            "pen_flip": False, "is_start": step == 0, "x_tilt": 0, "y_tilt": 0,
        }
        for step in range(8)
    ]
    bpy.ops.sculpt.brush_stroke(stroke=steps, mode="NORMAL")
result = [len(sphere.data.polygons), bpy.context.scene.statistics(bpy.context.view_layer)]
"""


class Work(NamedTuple):
    """What users had in their Blenders when the server died, and what is on the disk now."""

    had: dict[str, Any]
    saved: dict[str, Any]
    stage: Stage
    texture_before: bytes


@pytest.fixture(scope="module")
def work(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Work]:
    folder = tmp_path_factory.mktemp("work")
    with staged(folder, display, template, **QUICK) as stage:
        texture, script = folder / "texture.png", folder / "script.py"
        script.write_text("on the disk\n")
        pixels = [random.random() for _ in range(8 * 8 * 4)]  # noqa: S311 - any pixels
        sculpted = stage.new_file(NAME)
        blenders = launch_all(stage, {"ann": stage.file, "bob": sculpted, "cat": None})
        ann, bob, cat = blenders.values()
        edit(ann)
        had = {
            "vertex": ann.run(EDIT_MODE),
            "pixels": ann.run(PAINT.format(path=str(texture), pixels=pixels)),
            "linked": ann.run(
                PAINT_LINKED.format(path=str(folder / "library.blend"), pixels=pixels)
            ),
            "text": ann.run(TEXTS.format(path=str(script))),
            "modified": ann.run("result = bpy.data.is_dirty"),
            "sculpted": bob.run(THREE_D_VIEW + SCULPT),
        }
        edit(cat)
        before = texture.read_bytes()
        lose(stage, ann, bob, cat)
        saved = {
            "ann": blend.inspect(stage.file),
            "bob": blend.inspect(sculpted),
            "cat": saved_location(recovery_copy(cat, user_data(stage))),
            "reasons": {user: not_saved(blender) for user, blender in blenders.items()},
            "paths": {user: saving(blender) for user, blender in blenders.items()},
        }
        yield Work(had, saved, stage, before)


def test_untitled(work: Work) -> None:
    assert work.saved["cat"] == EDIT
    assert work.saved["reasons"]["cat"] == [
        "the file has no name yet: give it one with File > Save As"
    ]


def test_changed_by_python_only(work: Work) -> None:
    assert work.had["modified"] is False
    assert tuple(work.saved["ann"]["objects"]["Cube"]["location"]) == EDIT
    assert work.saved["paths"]["ann"] == [str(work.stage.file)]
    assert work.saved["reasons"]["ann"] == []


def test_edit_mode(work: Work) -> None:
    assert work.had["vertex"] != VERTEX, "the edit is in the file's mesh already"
    assert work.saved["ann"]["objects"]["Cube"]["mesh"]["vertices"][0] == VERTEX


def test_name(work: Work) -> None:
    (path,) = work.saved["paths"]["bob"]
    assert len(Path(path).name.encode()) == 254
    assert Path(path).stem == NAME
    assert work.saved["reasons"]["bob"] == []


def test_sculpt_mode(work: Work) -> None:
    before, statistics = work.had["sculpted"]
    found = re.search(r"Tris:(\d+)", statistics)
    assert found is not None, statistics
    sculpted = int(found[1])
    assert sculpted != before, "the stroke has changed nothing"
    assert work.saved["bob"]["objects"]["Sphere"]["mesh"]["faces"] == sculpted


@pytest.mark.parametrize("name", ["Texture", "New", "Float", "Tiles", "FloatTiles"])
def test_painted_image(work: Work, name: str) -> None:
    image = work.saved["ann"]["images"][name]
    assert image["packed"] is not None
    assert image["pixels"] == pytest.approx(work.had["pixels"][name], abs=1e-6)


def test_painted_image_of_a_library(work: Work) -> None:
    """In a copy that belongs to the file."""
    copies = [
        image
        for name, image in work.saved["ann"]["images"].items()
        if name.startswith("Linked") and image["pixels"] == pytest.approx(work.had["linked"])
    ]
    assert copies


def test_a_textures_own_file_is_untouched(work: Work) -> None:
    texture = work.stage.profile.folder / "texture.png"
    assert texture.read_bytes() == work.texture_before
    # It is the same texture still, not one of another name.
    assert work.saved["ann"]["images"]["Texture"]["path"] == str(texture)


def test_text_with_a_file_behind_it(work: Work) -> None:
    """Blender saves its lines; if that ever ends, this says so."""
    assert work.saved["ann"]["texts"]["script.py"] == work.had["text"] == "edited on the disk\n"
    assert (work.stage.profile.folder / "script.py").read_text() == "on the disk\n"
