"""Blender does not close, or nothing can be saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.journal import check

from tests.blender.conftest import MakeStage
from tests.blender.stage import Stage, edit
from tests.faults.outcome import assert_kept

# What keeps Blender from closing once it is told to.
OBSTACLES = {
    # An operator that ends nothing.
    "no quit": """
from cr8_router.lifeline.connection.connection import Connection
Connection._close = lambda self: None
""",
    # A main thread that never comes back, and keeps Python's lock.
    "blocked": """
import ctypes
from cr8_router.lifeline.connection.connection import Connection
Connection._close = lambda self: ctypes.PyDLL(None).sleep(600)
""",
    # Some other add-on that hangs when Blender has begun to end.
    "hangs at exit": """
import atexit, time
atexit.register(time.sleep, 600)
""",
}


@pytest.mark.parametrize("obstacle", OBSTACLES.values(), ids=OBSTACLES)
def test_it_does_not_close(make_stage: MakeStage, obstacle: str) -> None:
    """Its work is safe, so the host ends the process."""
    stage = make_stage(cleanup_timeout=1, quit_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(obstacle)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file, outcome="ended-by-host")


def nowhere_to_save(stage: Stage, blender: Blender, file: Path) -> tuple[Path, Path]:
    """The file's folder is gone, and so is every recovery folder. Gives both."""
    away = file.parent.with_name("away")
    file.parent.rename(away)
    blocker = stage.profile.folder / "no-folder"
    blocker.write_bytes(b"")
    blender.run(
        "from pathlib import Path\n"
        "import cr8_router\n"
        "from cr8_router.lifeline.recovery_store import RecoveryFolder\n"
        f"folder = RecoveryFolder(Path({str(blocker / 'recovery')!r}))\n"
        "cr8_router.lifeline.session.connection()._store.folders = (folder,)"
    )
    return away, blocker


def work_file(stage: Stage) -> Path:
    """A file in a folder of its own."""
    file = stage.profile.folder / "work" / "job.blend"
    file.parent.mkdir()
    return stage.file.rename(file)


def test_nothing_can_be_saved(make_stage: MakeStage) -> None:
    """Tried again and again; after the time that is set Blender closes all the same."""
    stage = make_stage(cleanup_timeout=1, unsaved_wait=3)
    file = work_file(stage)
    blender = stage.launch(file)
    edit(blender)
    _, blocker = nowhere_to_save(stage, blender, file)
    stage.engine.kill()
    stage.assert_closed(blender, safe=False)
    entry = stage.journal.entry()
    check(entry, outcome="quit", safe=False)
    assert len(entry["saves"]) >= 2
    for save in entry["saves"]:
        # A reason for each step.
        assert any(str(file) in reason for reason in save["failures"]) or (
            save["place"] == "recovery"
        )
        assert any(str(blocker) in reason for reason in save["failures"])


def test_it_can_be_saved_in_the_end(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=1, unsaved_wait=600)
    file = work_file(stage)
    blender = stage.launch(file)
    edit(blender)
    away, _ = nowhere_to_save(stage, blender, file)
    stage.engine.kill()
    blender.wait_for_line(r"^\[WARNING\] Blender file not saved: .*no-folder", 30)
    assert blender.exit_code() is None
    away.rename(file.parent)
    entry = assert_kept(stage, blender, file)
    assert not entry["saves"][0]["ok"]
