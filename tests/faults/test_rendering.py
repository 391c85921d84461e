"""The server is lost while Blender renders."""

from __future__ import annotations

import stat
import struct
import time
from pathlib import Path

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, wait_countdown, wait_unreachable
from tests.blender.stage import ROOM, Stage, edit
from tests.faults.outcome import assert_closed_once, assert_kept

# Cycles, on one core, on and on.
CYCLES = """
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.render.threads_mode, scene.render.threads = "FIXED", 1
scene.cycles.samples = 1_000_000
scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
"""

# An engine that fails at once, as Cycles does over what the computer does not have.
FAILING = """
class Failing(bpy.types.RenderEngine):
    bl_idname, bl_label = "FAILING", "Failing"
    def render(self, depsgraph):
        self.report({"ERROR"}, "nothing can be rendered here")
bpy.utils.register_class(Failing)
bpy.context.scene.render.engine = "FAILING"
"""

# An engine that renders for as long as the test wants it to.
PATIENT = """
import threading
enough = bpy.app.driver_namespace["enough"] = threading.Event()
class Patient(bpy.types.RenderEngine):
    bl_idname, bl_label = "PATIENT", "Patient"
    def render(self, depsgraph):
        enough.wait()
        result = self.begin_result(0, 0, 8, 8)
        result.layers[0].passes["Combined"].rect = [(0.25, 0.5, 2.0, 1.0)] * 64
        self.end_result(result)
bpy.utils.register_class(Patient)
render = bpy.context.scene.render
render.engine, render.resolution_x, render.resolution_y = "PATIENT", 8, 8
"""
ENOUGH = "bpy.app.driver_namespace['enough'].set()"

RENDER = """
def say(*_):
    print("The render has ended", flush=True)
bpy.app.handlers.render_complete.append(say)
bpy.app.handlers.render_cancel.append(say)
window = bpy.context.window_manager.windows[0]
with bpy.context.temp_override(window=window, screen=window.screen):
    try:
        bpy.ops.render.render("INVOKE_DEFAULT")
    except RuntimeError as error:  # it has failed before the call was over
        print(error)
"""
RENDERING = "result = bpy.app.is_job_running('RENDER')"
ENDED = "^The render has ended$"


def render(blender: Blender, engine: str = CYCLES) -> None:
    """Render, as the render button does."""
    blender.run(engine + RENDER)
    blender.wait_alive("the render", lambda: bool(blender.run(RENDERING)), 30)


def test_running_at_the_deadline(make_stage: MakeStage) -> None:
    """Nothing is put off unless the settings say so."""
    stage = make_stage(cleanup_timeout=ROOM, render_wait=0)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    render(blender)
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    closing = blender.wait_for_line(CLOSING, 1)
    assert not [line for line in blender.lines.matching(ENDED) if line.at < closing.at]


def test_longer_than_the_cap(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=ROOM, render_wait=3)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    render(blender)
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    saving = blender.wait_for_line(SAVING, 1)
    assert saving.at > deadline + 2, "the render was not waited for"
    assert not [line for line in blender.lines.matching(ENDED) if line.at < saving.at]


def test_done_within_the_cap(make_stage: MakeStage) -> None:
    """The clean-up waits for its end, and no longer."""
    stage = make_stage(cleanup_timeout=1, render_wait=600)
    blender = stage.launch(stage.file)
    edit(blender)
    render(blender, PATIENT)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    blender.wait_alive("the deadline", lambda: time.monotonic() > deadline + 1, ROOM + 30)
    assert not blender.lines.matching(SAVING), "the render was not waited for"
    blender.run(ENOUGH)
    entry = assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    ended = blender.wait_for_line(ENDED, 1)
    assert ended.at < blender.wait_for_line(SAVING, 1).at
    # What was waited for is not thrown away: no .blend holds it.
    render_file = stage.file.with_name("job-render-1.exr")
    blender.wait_for_line(f"Saved the finished render: {render_file}$", 1)
    (save,) = entry["saves"]
    assert (save["render"], save["failures"]) == (str(render_file), [])
    assert opened_as(stage, render_file) == "MULTILAYER"
    content = render_file.read_bytes()
    assert b"ViewLayer.Combined.R" in content
    assert b"dataWindow\0box2i\0" + struct.pack("<5i", 16, 0, 0, 7, 7) in content
    assert list(stage.file.parent.glob("*-render-*")) == [render_file]
    assert stat.S_IMODE(render_file.stat().st_mode) == stat.S_IMODE(stage.file.stat().st_mode)


def opened_as(stage: Stage, file: Path) -> str:
    """The type that another Blender says it has."""
    blender = stage.own(Blender.start(stage.profile, environment={})).wait_ready()
    load = f"image = bpy.data.images.load({str(file)!r})\n"
    return str(blender.run(f"{load}image.pixels[:]\nresult = image.type"))


def test_a_render_that_a_file_has_is_not_saved_again(make_stage: MakeStage) -> None:
    """Nor one that another file has taken the place of."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    render(blender, PATIENT)
    blender.run(ENOUGH)
    blender.wait_for_line(ENDED, 30)
    blender.wait_alive("the render", lambda: waiting(blender) == [0], 30)
    frame = stage.profile.folder / "frame.png"
    blender.run(
        f"bpy.context.scene.render.filepath = {str(frame)!r}\n"
        "bpy.ops.render.render(write_still=True)"
    )
    stage.engine.kill()
    entry = assert_kept(stage, blender, stage.file)
    assert frame.exists()
    assert entry["saves"][0]["render"] is None
    assert list(stage.file.parent.glob("*-render-*")) == []


def test_failed_before(make_stage: MakeStage) -> None:
    """Blender remembers it, and would end with exit code 1 for it."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(FAILING + RENDER)
    blender.wait_for_line(ENDED, 30)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)


def test_renders_in_several_slots(make_stage: MakeStage) -> None:
    """Each is somebody's work, and the one that is shown may be an empty one."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    for slot in (0, 2):
        render_into(blender, slot)
    show(blender, 5)
    stage.engine.kill()
    entry = assert_kept(stage, blender, stage.file)
    files = [stage.file.with_name(f"job-render-{number}.exr") for number in (1, 2)]
    assert sorted(stage.file.parent.glob("*-render-*")) == files
    assert entry["saves"][0]["render"] == str(files[1])
    assert [opened_as(stage, file) for file in files] == ["MULTILAYER"] * 2


def render_into(blender: Blender, slot: int) -> None:
    """A render that no file has."""
    show(blender, slot)
    render(blender, PATIENT)
    blender.run(ENOUGH)
    blender.wait_alive("the render", lambda: waiting(blender)[-1:] == [slot], 30)
    # Blender begins no other one before that.
    blender.wait_alive("its end", lambda: not blender.run(RENDERING), 30)


def waiting(blender: Blender) -> list[int]:
    """The slots of renders that no file has."""
    found: list[int] = blender.run(
        "from cr8_router.lifeline import saving; result = saving.renders._waiting"
    )
    return found


def show(blender: Blender, slot: int) -> None:
    """Of the render slots, this one; a new Blender has no image of them yet."""
    blender.run(
        f"""
for image in bpy.data.images:
    if image.type == "RENDER_RESULT":
        image.render_slots.active_index = {slot}
"""
    )
