"""The journal tells what became of the work, whatever happens to Blender, server or journal."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.journal import Entry, check
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_lost, wait_phase, wait_unreachable
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.outcome import assert_closed_once, assert_kept
from tests.faults.saving_scene import immutable, needs_root

TORN = b'{"schema":1,"type":"outage","id":"4c1f'


@pytest.mark.parametrize("where", ["below a file", pytest.param("immutable", marks=needs_root)])
def test_it_cannot_be_written(make_stage: MakeStage, tmp_path: Path, where: str) -> None:
    """That is said, and all else goes on."""
    folder = tmp_path / "journal"
    journal = folder / "journal.jsonl"
    with ExitStack() as stack:
        if where == "immutable":
            folder.mkdir()
            stack.enter_context(immutable(folder))
        else:
            folder.write_bytes(b"no folder")
        stage = make_stage(cleanup_timeout=1, journal=str(journal))
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        stage.assert_closed(blender, safe=None)
        assert_closed_once(blender)
        assert saved_location(stage.file) == EDIT
        assert blender.lines.matching(rf"^\[(WARNING|ERROR)\] .*{journal}")
        assert not journal.exists()


def test_a_torn_line(make_stage: MakeStage) -> None:
    """Left by a crash: it is read past, and spoils no other."""
    stage = make_stage(cleanup_timeout=1)
    stage.journal.path.parent.mkdir(parents=True)
    stage.journal.path.write_bytes(TORN)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)
    assert stage.journal.torn() == [TORN]


def relaunch(stage: Stage, *, acknowledged: bool) -> tuple[Blender, Entry]:
    """After an outage the server is back, and answers reports or does not; a new Blender there.

    With what the journal says of the outage.
    """
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    entry = assert_kept(stage, blender, stage.file)
    stage.engine.restart()
    stage.engine.acknowledge(acknowledged)
    again = stage.launch(stage.file)
    (report,) = stage.engine.wait_for_event("ann", "cleanup_report", 30)["data"]
    assert report == entry
    return again, entry


def reconnect(stage: Stage, blender: Blender, connections: int) -> None:
    """The server says goodbye, and takes it back; for the so-many-th time."""
    stage.engine.disconnect("ann")
    stage.engine.wait_for_blender("ann", 30, connections=connections)
    stage.wait_connected(blender)


def test_the_server_hears_of_it(make_stage: MakeStage) -> None:
    """Once: what it has acknowledged is not sent again."""
    stage = make_stage(cleanup_timeout=1)
    again, entry = relaunch(stage, acknowledged=True)
    known = {entry["id"]}
    wait_until("the acknowledgement", lambda: stage.journal.acknowledged() == known, 10)
    # By the second time, what was sent at the first has come.
    for connections in (2, 3):
        reconnect(stage, again, connections)
    assert len(stage.engine.reports("ann")) == 1


def test_a_report_without_an_answer_is_sent_again(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=1)
    again, entry = relaunch(stage, acknowledged=False)
    assert stage.journal.acknowledged() == set()
    stage.engine.acknowledge()
    reconnect(stage, again, connections=2)
    known = {entry["id"]}
    wait_until("the acknowledgement", lambda: stage.journal.acknowledged() == known, 10)
    assert stage.engine.reports("ann") == [entry, entry]


def test_killed_in_the_countdown(make_stage: MakeStage, template: Path) -> None:
    """The next start writes down what the dead process no longer could."""
    stage = make_stage(cleanup_timeout=60)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    os.kill(blender.pid, signal.SIGKILL)
    assert blender.wait_exit(10) == -signal.SIGKILL
    assert stage.journal.entries() == []
    stage.engine.start()
    stage.launch(stage.file)
    wait_until("the entry", stage.journal.entries, 10)
    entry = stage.journal.entry()
    check(entry, outcome="interrupted", safe=None)
    assert (entry["pid"], entry["attempts"]) == (blender.pid, 5)
    assert entry["countdown_at"] is not None
    assert stage.file.read_bytes() == template.read_bytes()


def test_what_people_asked_for(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=300)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_lost(blender)
    blender.run("import cr8_router; cr8_router.handler().hold(by='bob')")
    wait_phase(blender, "held")
    blender.run("bpy.ops.cr8.release()")
    wait_phase(blender, "counting-down")
    blender.run("bpy.ops.cr8.extend(seconds=90)")
    blender.run("import cr8_router; cr8_router.handler().close_now()")
    entry = assert_kept(stage, blender, stage.file)
    asked = [(one["request"], one["seconds"], one["by"]) for one in entry["requests"]]
    assert asked == [
        ("hold", None, "bob"),
        ("release", None, "operator"),
        ("extend", 90, "operator"),
        ("close-now", None, "script"),
    ]
    at = [one["at"] for one in entry["requests"]]
    assert at == sorted(at)
