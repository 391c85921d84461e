"""Unsaved work is offered to whoever it is of, and opened when they want it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.uploads import FORBID, Uploads
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_phase
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.saving_scene import user_data
from tests.faults.test_rendering import ENOUGH, PATIENT, RENDERING, render

OFFERED = "recovery_offers"
LOCATION = "result = list(bpy.data.objects['Cube'].location)"
OFFERS = """
import cr8_router
result = [one.recovery_path for one in cr8_router.lifeline.session.recovery().offers]
"""
PANEL = "result = bpy.types.CR8_PT_unsaved_work.poll(bpy.context)"
LATER = 30.0


def offers(blender: Blender) -> list[str]:
    found: list[str] = blender.run(OFFERS)
    return found


def wait_offer(blender: Blender) -> Path:
    """The one copy that is offered, in the panel."""

    def one() -> Path | None:
        found = offers(blender)
        return Path(found[0]) if len(found) == 1 else None

    copy = wait_until("an offer", one, LATER)
    assert blender.run(PANEL) is True
    return copy


def wait_told(stage: Stage, count: int) -> None:
    """What the server has heard last."""

    def told() -> bool:
        heard = stage.engine.heard("ann", OFFERED)
        return bool(heard) and len(heard[-1]["copies"]) == count

    wait_until("the server is told", told, LATER)


def wait_open(blender: Blender, copy: Path) -> None:
    blender.wait_for_line(f"Opened unsaved work: {copy}$", LATER)
    assert blender.run("result = bpy.data.filepath") == str(copy)
    assert tuple(blender.run(LOCATION)) == EDIT
    wait_until("it is offered no more", lambda: copy not in map(Path, offers(blender)), LATER)


def killed_in_the_countdown(stage: Stage, file: Path | None) -> None:
    """Its early copy is left."""
    blender = stage.launch(file)
    edit(blender)
    stage.engine.kill()
    blender.wait_for_line(r"the work is in .*\.blend$", LATER)
    os.kill(blender.pid, signal.SIGKILL)
    blender.wait_exit(LATER)
    stage.engine.start()


@pytest.mark.parametrize("by", ["panel", "page"])
def test_a_copy_of_a_named_file(make_stage: MakeStage, by: str) -> None:
    """What is open goes into a copy first, if it has changed."""
    stage = make_stage(cleanup_timeout=60)
    killed_in_the_countdown(stage, stage.file)
    blender = stage.launch(stage.file)
    copy = wait_offer(blender)
    assert tuple(blender.run(LOCATION)) != EDIT
    wait_told(stage, 1)
    blender.run("bpy.context.scene['mine'] = 1; bpy.ops.ed.undo_push()")
    if by == "panel":
        blender.run(f"bpy.ops.cr8.open_recovered(copy={copy.name!r})")
    else:
        stage.engine.emit("ann", "open_recovered", {"name": copy.name})
    wait_open(blender, copy)
    # The one that has been made of what was open.
    assert wait_offer(blender) != copy
    assert len(list(user_data(stage).glob("*.blend"))) == 2


def test_it_is_not_needed(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=60)
    killed_in_the_countdown(stage, stage.file)
    blender = stage.launch(stage.file)
    copy = wait_offer(blender)
    wait_told(stage, 1)
    blender.run(f"bpy.ops.cr8.decline_recovered(copy={copy.name!r})")
    assert offers(blender) == []
    wait_told(stage, 0)
    assert saved_location(copy) == EDIT


def test_it_is_not_needed_and_the_server_hears_of_that_later(make_stage: MakeStage) -> None:
    """Its page must not go on offering what there is no more."""
    stage = make_stage(cleanup_timeout=60)
    killed_in_the_countdown(stage, stage.file)
    blender = stage.launch(stage.file)
    copy = wait_offer(blender)
    wait_told(stage, 1)
    stage.engine.kill()
    blender.wait_for_line(r"Trying to connect\.$", LATER)
    blender.run(f"bpy.ops.cr8.decline_recovered(copy={copy.name!r})")
    stage.engine.start()
    wait_told(stage, 0)


def test_a_render_is_not_broken_off_and_not_lost(make_stage: MakeStage) -> None:
    """The copy that was asked for is opened after it, and the render is saved first."""
    stage = make_stage(cleanup_timeout=60)
    killed_in_the_countdown(stage, stage.file)
    blender = stage.launch(stage.file)
    copy = wait_offer(blender)
    render(blender, PATIENT)
    blender.run(f"bpy.ops.cr8.open_recovered(copy={copy.name!r})")
    blender.run("import time; result = time.sleep(2)")
    assert blender.run(RENDERING) is True
    assert blender.run("result = bpy.data.filepath") == str(stage.file)
    blender.run(ENOUGH)
    blender.wait_for_line(r"Saved the finished render: .*-render-1\.exr$", LATER)
    wait_open(blender, copy)
    assert len(list(user_data(stage).glob("*.exr"))) == 1


def test_untitled_work_that_was_open_when_the_server_ended_blender(make_stage: MakeStage) -> None:
    """Its user may have wanted to throw it away: it is offered, and not opened by itself."""
    stage = make_stage(cleanup_timeout=60)
    blender = stage.launch(None)
    edit(blender)
    os.kill(blender.pid, signal.SIGTERM)
    blender.wait_exit(LATER)
    stage.engine.restart()  # it looks after who it has launched no more
    again = stage.launch(None)
    copy = wait_offer(again)
    assert again.run("result = bpy.data.filepath") == ""
    again.run(f"bpy.ops.cr8.open_recovered(copy={copy.name!r})")
    wait_open(again, copy)


def test_a_file_was_asked_for(make_stage: MakeStage) -> None:
    """And is not there: Blender will save there, and nothing else is opened in its place."""
    stage = make_stage(cleanup_timeout=60)
    killed_in_the_countdown(stage, None)
    blender = stage.launch(stage.profile.folder / "gone.blend")
    wait_offer(blender)
    assert tuple(blender.run(LOCATION)) != EDIT


@pytest.mark.parametrize("other", ["server", "project", "user_id"])
def test_somebody_else_of_the_same_name(make_stage: MakeStage, other: str) -> None:
    """At another server, in another project, or with another identity."""
    stage = make_stage(cleanup_timeout=60, project="chairs", user_id="u-1")
    killed_in_the_countdown(stage, None)
    environment = {**stage.engine.line("ann")}
    if other == "server":
        environment["WS_URL"] = environment["WS_URL"].replace("127.0.0.1", "localhost")
    else:
        environment[f"CR8_{other.upper()}"] = "another"
    blender = stage.own(Blender.start(stage.profile, environment=environment))
    blender.wait_ready()
    stage.wait_connected(blender)
    assert offers(blender) == []
    assert tuple(blender.run(LOCATION)) != EDIT


def test_a_download_over_what_was_saved(make_stage: MakeStage) -> None:
    """The store has not got it: the file is fetched from there again, and written into ours."""
    with Uploads(FORBID) as uploads:
        stage = make_stage(cleanup_timeout=1, save_url=uploads.url)
        before = stage.file.read_bytes()
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        stage.assert_closed(blender)
        assert saved_location(stage.file) == EDIT
        (copy,) = user_data(stage).glob("*.blend")
        with stage.file.open("r+b") as file:  # as curl does it
            file.truncate()
            file.write(before)
        stage.engine.restart()
        again = stage.launch(stage.file)
        again.wait_for_line(f"it is in the copy {copy}$", LATER)
        assert wait_offer(again) == copy
        again.run(f"bpy.ops.cr8.open_recovered(copy={copy.name!r})")
        wait_open(again, copy)


def test_work_in_the_second_copy_outlives_the_first_in_the_store(make_stage: MakeStage) -> None:
    """The copy holds more than what it was made of, which has come to the store after all."""
    further = (4.0, 5.0, 6.0)
    with Uploads(FORBID) as uploads:
        stage = make_stage(cleanup_timeout=1, save_url=uploads.url)
        before = stage.file.read_bytes()
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        stage.assert_closed(blender)
        saved = stage.file.read_bytes()
        stage.file.write_bytes(before)
        stage.engine.restart()
        again = stage.launch(stage.file)
        copy = wait_offer(again)
        again.run(f"bpy.ops.cr8.open_recovered(copy={copy.name!r})")
        wait_open(again, copy)
        edit(again, further)
        stage.engine.kill()
        stage.assert_closed(again)
        assert saved_location(copy) == further
        stage.file.write_bytes(saved)
        stage.engine.restart()
        last = stage.launch(stage.file)
        assert wait_offer(last) == copy
        assert list(user_data(stage).glob("*.blend")) == [copy]


def test_the_store_has_what_was_saved(make_stage: MakeStage) -> None:
    """Then nobody needs the second copy."""
    with Uploads() as uploads:
        stage = make_stage(cleanup_timeout=1, save_url=uploads.url)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        stage.assert_closed(blender)
        (copy,) = user_data(stage).glob("*.blend")
        shutil.copyfile(stage.file, stage.profile.folder / "fetched.blend")
        os.replace(stage.profile.folder / "fetched.blend", stage.file)
        stage.engine.restart()
        again = stage.launch(stage.file)
        wait_until("it is deleted", lambda: not copy.exists(), LATER)
        assert offers(again) == []


def test_the_server_is_back_after_the_save(make_stage: MakeStage) -> None:
    """The work goes on here: what was saved in between is nothing to come back to."""
    with Uploads(FORBID) as uploads:
        stage = make_stage(cleanup_timeout=1, quit_floor=20, save_url=uploads.url)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        blender.wait_for_line(r"^\[INFO\] Saved in ", LATER)
        wait_phase(blender, "quitting")
        stage.engine.start()
        stage.wait_connected(blender)
        wait_until("it is deleted", lambda: not list(user_data(stage).glob("*")), LATER)


def test_the_server_is_back_and_another_blender_works_in_the_copy(make_stage: MakeStage) -> None:
    """It is not taken away from there."""
    with Uploads(FORBID) as uploads:
        settings = {"cleanup_timeout": 1, "quit_floor": 20, "early_copy": 0}
        stage = make_stage(save_url=uploads.url, **settings)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        blender.wait_for_line(r"^\[INFO\] Saved in ", LATER)
        wait_phase(blender, "quitting")

        def kept() -> Path | None:
            found = list(user_data(stage).glob("*.json"))
            return found[0] if found and found[0].stat().st_size else None

        record = wait_until("the copy", kept, LATER)
        opened = {**json.loads(record.read_text()), "restored_at": "2026-11-29T12:00:00+00:00"}
        record.write_text(json.dumps(opened))
        stage.engine.start()
        stage.wait_connected(blender)
        blender.run(
            "from cr8_router.lifeline.saving import unsent\n"
            "unsent.settle(10)\n"
            "assert unsent._copy is None"
        )
        assert record.with_suffix(".blend").exists()
