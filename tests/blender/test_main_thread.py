"""A long operator keeps Blender's main thread while the line is lost."""

from __future__ import annotations

import time
from pathlib import Path

from lifeline_harness.blender import Blender, Pending
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    CLOSING,
    SAVING,
    assert_said,
    assert_stays_connected,
    assert_untouched,
    count,
)
from tests.blender.stage import EDIT, edit, saved_location


def block_until(blender: Blender, file: Path) -> Pending:
    """Keep the main thread, and Python's lock with it, until the file exists."""
    blocked = file.with_suffix(".blocked")
    pending = blender.begin(
        "import ctypes, os, time\n"
        f"open({str(blocked)!r}, 'w').close()\n"
        "end = time.monotonic() + 60\n"
        f"while not os.path.exists({str(file)!r}) and time.monotonic() < end:\n"
        "    ctypes.PyDLL(None).usleep(50_000)  # PyDLL: the lock is kept\n"
    )
    blender.wait_alive("the block", blocked.exists, 30)
    return pending


def test_back_before_the_operator_returns(
    make_stage: MakeStage, tmp_path: Path, template: Path
) -> None:
    """The countdown has passed, and still nothing is done under a living server."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    go = tmp_path / "go"
    pending = block_until(blender, go)
    stage.engine.kill()
    time.sleep(stage.outage + 1)
    stage.engine.start()
    stage.engine.wait_for_blender("ann", 30)
    assert not pending.done()
    go.touch()
    pending.result()
    # A save was asked for, so the countdown had passed; and it was withdrawn.
    blender.wait_for_line("The server is back: nothing is saved, and Blender stays open", 30)
    blender.wait_for_line("withdrawn", 30)
    assert_stays_connected(blender, time.monotonic() + 2)
    assert_untouched(blender, stage.file, template)


def test_still_gone_when_the_operator_returns(
    make_stage: MakeStage, tmp_path: Path, template: Path
) -> None:
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    edit(blender)
    go = tmp_path / "go"
    pending = block_until(blender, go)
    stage.engine.kill()
    time.sleep(stage.outage + 1)
    assert not pending.done()
    assert blender.exit_code() is None
    assert_untouched(blender, stage.file, template)
    go.touch()
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[INFO] 1-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        "[INFO] Closing Blender instance",
    )
    assert (count(blender, SAVING), count(blender, CLOSING)) == (1, 1)
    assert saved_location(stage.file) == EDIT


def test_the_server_is_listened_to_closely_while_it_talks(
    make_stage: MakeStage,
) -> None:
    """And everything else is looked at no more often for it."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    stage.engine.wait_for_blender("ann")
    blender.run(
        "import builtins, cr8_router\n"
        "session = cr8_router.lifeline.session._session\n"
        "builtins.polls, builtins.looks = [], []\n"
        "poll, look = session.connection.poll, session._look\n"
        "session.connection.poll = lambda: (builtins.polls.append(1), poll())[1]\n"
        "session._look = lambda events: (builtins.looks.append(1), look(events))[1]\n"
    )
    counted = "import builtins; result = [len(builtins.polls), len(builtins.looks)]"
    wait_until("a quiet tick", lambda: blender.run(counted)[0] > 0, 10)
    for _event in range(20):
        stage.engine.emit("ann", "build")
    polls, looks = blender.run(counted)
    wait_until("many ticks", lambda: blender.run(counted)[0] > polls + 20, 5, step=0.05)
    assert blender.run(counted)[1] - looks < 10
