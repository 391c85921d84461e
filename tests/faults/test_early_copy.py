"""A copy of the work is there before the countdown has ended: Blender may not live to see that."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeline_harness import blend
from lifeline_harness.blender import Blender
from lifeline_harness.display import SMALL, Display
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_phase, wait_unreachable
from tests.blender.stage import EDIT, ROOM, Stage, edit, saved_location, staged, status

LONG = 60


def copies(stage: Stage) -> list[Path]:
    """Whole ones: with a record."""
    folder = stage.profile.folder / "datafiles" / "cr8_recovery"
    records = [path for path in folder.glob("*.json") if path.stat().st_size]
    return [path.with_suffix(".blend") for path in records]


def wait_copy(stage: Stage, blender: Blender) -> Path:
    """The early copy, once the journal names it."""

    def made() -> Path | None:
        named = [entry["early_copy"] for entry in stage.journal.open_entries()]
        return Path(named[0]) if named and named[0] is not None else None

    blender.wait_for_line(r"the work is in .*\.blend$", 30)
    copy = wait_until("the journal names the copy", made, 30)
    assert copies(stage) == [copy]
    return copy


def test_killed_in_the_countdown(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    copy = wait_copy(stage, blender)
    assert saved_location(copy) == EDIT
    os.kill(blender.pid, signal.SIGKILL)
    blender.wait_exit(30)
    stage.engine.start()
    # The file is as it was, and the log leads to the copy.
    assert saved_location(stage.file) != EDIT
    again = stage.launch(stage.file)
    again.wait_for_line(f"its last work is in the recovery copy {copy}$", 30)


def test_untitled_work_is_opened_again(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(None)
    edit(blender)
    stage.engine.kill()
    copy = wait_copy(stage, blender)
    os.kill(blender.pid, signal.SIGKILL)
    blender.wait_exit(30)
    stage.engine.start()
    again = stage.launch(None)
    again.wait_for_line(f"Recovered unsaved work from {copy}$", 30)
    assert tuple(again.run("result = list(bpy.data.objects['Cube'].location)")) == EDIT


def test_the_display_dies_in_the_countdown(
    tmp_path: Path, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        Display.start(tmp_path_factory.mktemp("own-display"), SMALL) as own,
        staged(tmp_path, own, template, cleanup_timeout=LONG) as stage,
    ):
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        copy = wait_copy(stage, blender)
        own.kill()
        blender.wait_exit(60)
        assert saved_location(copy) == EDIT


@pytest.mark.parametrize("end", ["back", "closed", "disabled"])
def test_none_is_left(make_stage: MakeStage, end: str) -> None:
    stage = make_stage(cleanup_timeout=LONG if end == "disabled" else ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_copy(stage, blender)
    if end == "back":
        stage.engine.start()
        stage.wait_connected(blender)
    elif end == "closed":
        stage.assert_closed(blender)
        assert saved_location(stage.file) == EDIT
    else:
        blender.run("import cr8_router; cr8_router.unregister()")
    wait_until("the copy is deleted", lambda: copies(stage) == [] or None, 30)
    folder = stage.profile.folder / "datafiles" / "cr8_recovery"
    assert list(folder.iterdir()) == []


def test_none_is_wanted(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2, early_copy=0)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    stage.assert_closed(blender)
    assert not blender.lines.matching(r"the work is in .*\.blend$")


PAINT = """
image = bpy.data.images.new("painted", 4, 4)
image.pixels[:] = [1.0, 0.5, 0.25, 1.0] * 16
bpy.data.meshes["Cube"].materials.clear()
image.use_fake_user = True
bpy.ops.object.mode_set(mode="EDIT")
result = image.is_dirty
"""
STATE = """
image = bpy.data.images["painted"]
result = [
    bpy.data.filepath, bpy.data.is_dirty, bpy.context.object.mode, image.is_dirty,
    len(image.packed_files), sorted(one.name for one in bpy.data.images),
]
"""


def test_blender_is_as_it_was(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    assert blender.run(PAINT) is True
    before = blender.run(STATE)
    stage.engine.kill()
    wait_unreachable(blender)
    copy = wait_copy(stage, blender)
    assert blender.run(STATE) == before
    wait_phase(blender, "counting-down")
    assert status(blender)["last_save"] is None
    images = blend.inspect(copy)["images"]
    assert images["painted (unsaved)"]["pixels"][:4] == pytest.approx(
        [1.0, 0.5, 0.25, 1.0], abs=0.01
    )


# A step of an early copy, on its thread, takes until the work is safe in its place.
SLOW = """
import sys, threading
module = sys.modules["cr8_router.lifeline.saving.early_copy"]
enough, superseded = threading.Event(), module.early_copy.superseded
step = module.{step}
def slowly(*args, **options):
    enough.wait()
    return step(*args, **options)
def safe(store):
    superseded(store)
    enough.set()
module.{step}, module.early_copy.superseded = slowly, safe
"""


@pytest.mark.parametrize("step", ["verify", "version_of"])
def test_the_work_is_saved_while_the_copy_is_read_back(make_stage: MakeStage, step: str) -> None:
    """Or right after that: before anybody is told of it."""
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(SLOW.format(step=step))
    stage.engine.kill()
    wait_unreachable(blender)
    folder = stage.profile.folder / "datafiles" / "cr8_recovery"
    wait_until("the copy is written", lambda: list(folder.glob("*.blend")) or None, 30)
    blender.run("import cr8_router; cr8_router.handler().close_now()")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
    assert list(folder.iterdir()) == []
    assert not blender.lines.matching(r"the work is in .*\.blend$")


SETTLE = """
import sys
sys.modules["cr8_router.lifeline.saving.early_copy"].early_copy.settle()
"""
OPENED = """
from pathlib import Path
from cr8_router.lifeline import session
from cr8_router.lifeline.recovery import store_for
store = store_for(session.connection()._line)
store.mark_restored(store.find(Path({copy!r})))
"""


@pytest.mark.parametrize("by", ["opened", "saved"])
def test_a_copy_that_another_blender_works_in_stays(make_stage: MakeStage, by: str) -> None:
    """Of the same user: who has made it does not delete it any more."""
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    copy = wait_copy(stage, blender)
    if by == "opened":
        blender.run(OPENED.format(copy=str(copy)))
    else:
        another = copy.read_bytes() + bytes(1)
        copy.unlink()
        copy.write_bytes(another)
    stage.engine.start()
    stage.wait_connected(blender)
    blender.wait_for_line("Server reconnected", 30)
    blender.run(SETTLE)
    assert copies(stage) == [copy]


# As the host asks for one, each minute.
ASK = "import cr8_router; cr8_router.lifeline.session.connection().copy_early(needed=True)"
CHANGES = {
    "a text": "bpy.data.texts['notes'].write('more')",
    "a marker": "bpy.context.scene.timeline_markers.new('here')",
    "an object": "bpy.data.objects['Cube'].location.x += 1",
}


@pytest.mark.parametrize("what", [*CHANGES, "nothing"])
def test_another_one_when_the_work_has_changed(make_stage: MakeStage, what: str) -> None:
    """And only then."""
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    blender.run("bpy.data.texts.new('notes')")
    edit(blender)
    stage.engine.kill()
    first = wait_copy(stage, blender)
    time.sleep(1.5)  # in the first second it could be the save's own doing
    blender.run(CHANGES.get(what, "pass"))
    blender.run("pass")  # Blender updates behind the timer
    blender.run(ASK)
    if what == "nothing":
        blender.run(SETTLE)
        assert copies(stage) == [first]
    else:
        wait_until("another copy", another_than(stage, first), 30)


# Moves the cube for as long as the test wants it to, as a person does who drags it.
DRAG = """
class Drag(bpy.types.Operator):
    bl_idname, bl_label = "object.drag", "Drag"
    bl_options = {"REGISTER", "UNDO"}
    def invoke(self, context, event):
        context.window_manager.event_timer_add(0.1, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}
    def modal(self, context, event):
        bpy.data.objects["Cube"].location.x += 0.125
        return {"FINISHED"} if bpy.app.driver_namespace.get("let go") else {"RUNNING_MODAL"}
bpy.utils.register_class(Drag)
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.object.drag("INVOKE_DEFAULT")
"""
LET_GO = "bpy.app.driver_namespace['let go'] = True"
DONE = "result = [one.bl_idname for one in bpy.context.window_manager.operators]"
DRAGGED = "result = bpy.data.objects['Cube'].location.x"


def test_a_person_drags_while_it_is_made(make_stage: MakeStage) -> None:
    """And goes on: the drag ends when the person ends it."""
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    blender.run(DRAG)
    stage.engine.kill()
    copy = wait_copy(stage, blender)
    for _minute in range(2):
        time.sleep(1.5)  # in the first second it could be the save's own doing
        before = blender.run(DRAGGED)
        blender.run(ASK)
        copy = wait_until("another copy", another_than(stage, copy), 30)
        assert saved_location(copy)[0] >= before
        wait_on(blender, blender.run(DRAGGED))
    assert "OBJECT_OT_drag" not in blender.run(DONE)
    blender.run(LET_GO)
    blender.wait_alive("its end", lambda: "OBJECT_OT_drag" in blender.run(DONE), 30)


def wait_on(blender: Blender, reached: float) -> None:
    blender.wait_alive("the drag goes on", lambda: bool(blender.run(DRAGGED) > reached), 30)


def another_than(stage: Stage, copy: Path) -> Callable[[], Path | None]:
    def look() -> Path | None:
        found = copies(stage)
        return found[0] if len(found) == 1 and found != [copy] else None

    return look
