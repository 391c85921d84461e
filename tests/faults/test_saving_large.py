"""A file of more than 500 MB: saved whole, or not at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from lifeline_harness import blend, processes
from lifeline_harness.journal import check
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import LINE_SECONDS
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.saving_scene import QUICK, grow, lose, not_saved

BYTES = 500_000_000

# What the host is told of a save.
TELL = """
import cr8_router
class Told:
    def __init__(self, line):
        self._line = line
    def __getattr__(self, name):
        return getattr(self._line, name)
    def saved(self, *arguments, **named):
        print("Told:", named.get("digest"), flush=True)
        return self._line.saved(*arguments, **named)
handler = cr8_router.lifeline.session.connection()
handler._line = Told(handler._line)
"""


@pytest.fixture
def stage(make_stage: MakeStage) -> Iterator[Stage]:
    """Its files are too large to be left."""
    stage = make_stage(**QUICK)
    yield stage
    for file in (stage.file, Path(f"{stage.file}@")):
        file.unlink(missing_ok=True)


def test_large_file(stage: Stage) -> None:
    blender = stage.launch(stage.file)
    work = grow(blender, BYTES)
    edit(blender)
    blender.run(TELL)
    lose(stage, blender)
    assert not_saved(blender) == []
    assert stage.file.stat().st_size > BYTES
    found = blend.inspect(stage.file)
    assert found["images"]["Ballast"]["packed_size"] == BYTES
    assert found["images"]["Ballast"]["packed"] == work
    assert tuple(found["objects"]["Cube"]["location"]) == EDIT
    save = check(stage.journal.entry(), outcome="quit", safe=True, path=stage.file)
    # It was hashed while it was read back: the host did not have to.
    assert save is not None
    [told] = blender.lines.matching("^Told: ")
    assert told.text.startswith(f"Told: Digest(size={save['bytes']}, sha256='{save['sha256']}', ")


def test_killed_in_the_middle_of_a_save(stage: Stage, template: Path) -> None:
    """The old file is whole."""
    blender = stage.launch(stage.file)
    grow(blender, BYTES)
    edit(blender)
    before = saved_location(stage.file)
    draft = Path(f"{stage.file}@")
    stage.engine.kill()
    wait_until("the save has begun", draft.exists, LINE_SECONDS, step=0.001)
    # Stopped first: so it is certain that the save had not ended.
    os.kill(blender.pid, signal.SIGSTOP)
    unfinished = draft.exists()
    os.kill(blender.pid, signal.SIGKILL)
    assert unfinished, "the save was over too soon to show anything"
    assert blender.wait_exit(10) == -signal.SIGKILL
    assert processes.session_members(blender.pid) == []
    assert stage.file.read_bytes() == template.read_bytes()
    assert saved_location(stage.file) == before != EDIT
    # Nobody was left to write it down; the next Blender does.
    stage.engine.start()
    stage.launch(stage.file)
    wait_until("the journal's line", lambda: bool(stage.journal.entries()), LINE_SECONDS)
    check(stage.journal.entry(), outcome="interrupted", safe=False)
