"""A mount without permissions, owners, locks and flushes, such as CIFS or an object store's."""

from __future__ import annotations

import json
from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.journal import check
from lifeline_harness.preload import refusing

from tests.blender.conftest import MakeStage
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.saving_scene import lose, not_saved, saving


def start(stage: Stage, file: Path | None, mount: Path) -> Blender:
    """A connected Blender to which all below `mount` is refused."""
    environment = {**stage.engine.line("ann"), **refusing(mount, mount)}
    blender = stage.own(Blender.start(stage.profile, file, environment=environment))
    blender.wait_ready()
    stage.wait_connected(blender)
    return blender


def test_a_recovery_copy_is_whole_and_found_again(make_stage: MakeStage, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    stage = make_stage(cleanup_timeout=1, recovery_dir=str(mount / "copies"))
    blender = start(stage, None, mount)
    edit(blender)
    lose(stage, blender)
    copy = Path(saving(blender)[-1])
    assert copy.parent == mount / "copies"
    assert len(not_saved(blender)) == 1, "it has no name"
    assert saved_location(copy) == EDIT
    assert json.loads(copy.with_suffix(".json").read_bytes())["username"] == "ann"

    stage.engine.restart()
    again = start(stage, None, mount)
    again.wait_for_line(f"Recovered unsaved work from {copy}$", 30)
    assert again.run("result = bpy.data.filepath") == str(copy)


def test_a_file_is_saved_in_place(make_stage: MakeStage, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    stage = make_stage(cleanup_timeout=1, journal=str(mount / "journal.jsonl"))
    file = stage.file.rename(mount / "job.blend")
    file.chmod(0o755)
    blender = start(stage, file, mount)
    edit(blender)
    lose(stage, blender)
    check(stage.journal.entry(), outcome="quit", safe=True, path=file)
    assert not_saved(blender) == []
    assert saving(blender) == [str(file)]
    assert saved_location(file) == EDIT
    for step in ("cannot be locked", "cannot be flushed", "other permissions than before"):
        blender.wait_for_line(f"^.WARNING. {mount}.*: it .*{step}.*the work is as safe without", 1)
