"""Work that has no file yet."""

from __future__ import annotations

import time
from pathlib import Path

from lifeline_harness import blend

from tests.blender.conftest import MakeStage
from tests.blender.stage import EDIT, Stage, edit, saved_location

EDITS = {"ann": (1.5, -2.25, 3.0), "bob": (-4.0, 0.5, 8.75)}


def recovery_copies(stage: Stage) -> list[Path]:
    """Oldest first."""
    folder = stage.profile.folder / "datafiles" / "cr8_recovery"
    return sorted(folder.glob("*.blend"), key=lambda copy: copy.stat().st_mtime_ns)


def test_untitled_work_is_found_again(make_stage: MakeStage) -> None:
    """Each user's own, though both were lost together and share the folder."""
    stage = make_stage(cleanup_timeout=2)
    blenders = {user: stage.launch(None, user) for user in EDITS}
    for user, blender in blenders.items():
        edit(blender, EDITS[user])
    stage.engine.kill()
    for blender in blenders.values():
        stage.assert_closed(blender)
    saved = [saved_location(copy) for copy in recovery_copies(stage)]
    assert sorted(saved) == sorted(EDITS.values())

    stage.engine.restart()
    # Whose copy is the older one: the newer one is not theirs.
    user = next(user for user in EDITS if EDITS[user] == saved[0])
    again = stage.launch(None, user)
    recovered = again.wait_for_line(r"Recovered unsaved work from ", 30).text
    assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(EDITS[user])
    opened = again.run("result = bpy.data.filepath")
    assert recovered.endswith(opened)
    # The server is told of the file that was recovered.
    one = stage.engine.wait_for_blender(user)
    assert one["blend_file_path"] == opened


def test_changed_after_the_copy_was_saved(make_stage: MakeStage) -> None:
    """Blender says "changed" before and after: what was done meanwhile is kept all the same."""
    stage = make_stage(cleanup_timeout=1, quit_floor=8)
    blender = stage.launch(None)
    blender.run("bpy.ops.ed.undo_push(message='Changed')")
    stage.engine.kill()
    saved = blender.wait_for_line(r"^\[INFO\] Saved in ", 30)
    # In the first second it could be the save's own doing.
    time.sleep(max(0.0, saved.at + 1.5 - time.monotonic()))
    edit(blender)
    stage.assert_closed(blender)
    assert saved_location(recovery_copies(stage)[-1]) == EDIT


def test_a_copy_that_could_not_be_flushed_is_kept(make_stage: MakeStage) -> None:
    """The disk gives no word that it is safe, but it may be all that is left."""
    stage = make_stage(cleanup_timeout=2, unsaved_wait=0)
    blender = stage.launch(None)
    edit(blender)
    blender.run(
        "import errno\n"
        "from cr8_router.lifeline.saving import verification\n"
        "def fail(*_): raise OSError(errno.EIO, 'Input/output error')\n"
        "verification.flush = fail\n"
        # One folder will do, and leaves the computer's own ones alone.
        "import cr8_router\n"
        "store = cr8_router.lifeline.session.connection()._store\n"
        "store.folders = store.folders[:1]"
    )
    stage.engine.kill()
    stage.assert_closed(blender, safe=False)
    (copy,) = recovery_copies(stage)
    assert saved_location(copy) == EDIT
    stage.engine.restart()
    stage.launch(None).wait_for_line(r"Recovered unsaved work from ", 30)


def test_a_text_changed_after_the_copy_was_saved(make_stage: MakeStage) -> None:
    """Blender tells nobody when a person types into one."""
    stage = make_stage(cleanup_timeout=1, quit_floor=8)
    blender = stage.launch(None)
    blender.run("bpy.data.texts.new('notes'); bpy.ops.ed.undo_push(message='Changed')")
    stage.engine.kill()
    saved = blender.wait_for_line(r"^\[INFO\] Saved in ", 30)
    time.sleep(max(0.0, saved.at + 1.5 - time.monotonic()))
    blender.run("bpy.data.texts['notes'].write('the last word')")
    stage.assert_closed(blender)
    assert blend.inspect(recovery_copies(stage)[-1])["texts"]["notes"] == "the last word"
