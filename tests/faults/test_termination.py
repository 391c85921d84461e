"""SIGTERM: the platform takes the machine away."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from lifeline_harness.journal import check
from lifeline_harness.uploads import DROP, Uploads

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, assert_untouched, count, wait_unreachable
from tests.blender.process_traces import line_threads
from tests.blender.stage import EDIT, edit, saved_location
from tests.blender.test_main_thread import block_until
from tests.faults.outcome import assert_kept


def test_connected(make_stage: MakeStage, template: Path) -> None:
    """The one thing that closes it under a living server, which may mean to throw work away."""
    with Uploads() as store:
        stage = make_stage(save_url=store.url)
        stage.secrets.append(store.secret)
        blender = stage.launch(stage.file)
        edit(blender)
        os.kill(blender.pid, signal.SIGTERM)
        stage.assert_closed(blender)
        assert store.requests() == []
    assert stage.file.read_bytes() == template.read_bytes()
    entry = stage.journal.entry()
    assert (entry["type"], entry["outcome"]) == ("termination", "terminated")
    (save,) = entry["saves"]
    assert save["recovery"]
    assert save["path"] is not None
    assert saved_location(Path(save["path"])) == EDIT
    assert [count(blender, line) for line in (SAVING, CLOSING)] == [1, 1]


def test_connected_where_the_file_is_to_be_saved(make_stage: MakeStage) -> None:
    stage = make_stage(terminate="save")
    blender = stage.launch(stage.file)
    edit(blender)
    os.kill(blender.pid, signal.SIGTERM)
    entry = assert_kept(stage, blender, stage.file, outcome="terminated")
    assert entry["type"] == "termination"
    assert [count(blender, line) for line in (SAVING, CLOSING)] == [1, 1]


def test_the_terminal_is_gone(make_stage: MakeStage) -> None:
    """SIGHUP. What else ends a process: `tests/python/test_signals.py`."""
    stage = make_stage(terminate="save")
    blender = stage.launch(stage.file)
    edit(blender)
    os.kill(blender.pid, signal.SIGHUP)
    assert_kept(stage, blender, stage.file, outcome="terminated")
    blender.wait_for_line("^.WARNING. SIGHUP: taken as SIGTERM$", 1)


def test_in_the_countdown(make_stage: MakeStage) -> None:
    """Whose end is not waited for."""
    stage = make_stage(cleanup_timeout=300)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    os.kill(blender.pid, signal.SIGTERM)
    entry = assert_kept(stage, blender, stage.file, outcome="terminated")
    assert entry["type"] == "outage"
    assert entry["countdown_at"] is not None
    assert [count(blender, line) for line in (SAVING, CLOSING)] == [1, 1]


def test_twice(make_stage: MakeStage) -> None:
    """The second one does not end what the first one has begun."""
    stage = make_stage(terminate="save")
    blender = stage.launch(stage.file)
    edit(blender)
    for _ in range(2):
        os.kill(blender.pid, signal.SIGTERM)
    assert_kept(stage, blender, stage.file, outcome="terminated")


def test_while_the_main_thread_is_blocked(make_stage: MakeStage, tmp_path: Path) -> None:
    stage = make_stage(terminate="save")
    blender = stage.launch(stage.file)
    edit(blender)
    go = tmp_path / "go"
    pending = block_until(blender, go)
    os.kill(blender.pid, signal.SIGTERM)
    assert not pending.done()
    go.touch()
    assert_kept(stage, blender, stage.file, outcome="terminated")


def test_while_the_main_thread_is_dead(make_stage: MakeStage, tmp_path: Path) -> None:
    """It is not waited for until the platform ends the process: that says nothing of the work."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    edit(blender)
    pending = block_until(blender, tmp_path / "never")
    os.kill(blender.pid, signal.SIGTERM)
    assert blender.wait_exit(90) != 0
    assert not pending.done()
    entry = stage.journal.last_of(blender.pid)
    check(entry, outcome="ended-by-host", safe=False)


def test_an_upload_that_takes_too_long(make_stage: MakeStage) -> None:
    """The platform does not wait for ever. Half of its time is for the save and the upload."""
    with Uploads(DROP) as store:
        stage = make_stage(
            save_url=store.url, upload_timeout=600, terminate="save", terminate_timeout=6
        )
        stage.secrets.append(store.secret)
        blender = stage.launch(stage.file)
        edit(blender)
        os.kill(blender.pid, signal.SIGTERM)
        stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
    entry = stage.journal.entry()
    # Blender has a last second to close; whether that is enough depends on the machine.
    assert entry["outcome"] in ("terminated", "ended-by-host")
    check(entry, outcome=entry["outcome"], safe=True, path=stage.file)
    assert entry["upload"] is not None
    assert not entry["upload"]["ok"]


def test_after_the_add_on_is_disabled(make_stage: MakeStage, template: Path) -> None:
    """As in a Blender that never had it."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run("import addon_utils; addon_utils.disable('cr8_router')")
    blender.wait_alive("no thread of the line", lambda: not line_threads(blender.pid), 10)
    os.kill(blender.pid, signal.SIGTERM)
    assert blender.wait_exit(10) == -signal.SIGTERM
    assert_untouched(blender, stage.file, template)


@pytest.mark.parametrize("setting", [{"terminate": "leave"}, {"terminate_timeout": 0}])
def test_left_alone(make_stage: MakeStage, template: Path, setting: dict[str, str | float]) -> None:
    stage = make_stage(**setting)
    blender = stage.launch(stage.file)
    edit(blender)
    os.kill(blender.pid, signal.SIGTERM)
    assert blender.wait_exit(10) == -signal.SIGTERM
    assert_untouched(blender, stage.file, template)
