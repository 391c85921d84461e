"""The server is lost while Blender renders."""

from __future__ import annotations

import time

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, wait_countdown, wait_unreachable
from tests.blender.stage import ROOM, edit
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
bpy.utils.register_class(Patient)
bpy.context.scene.render.engine = "PATIENT"
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
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    ended = blender.wait_for_line(ENDED, 1)
    assert ended.at < blender.wait_for_line(SAVING, 1).at


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
