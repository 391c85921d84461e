"""What happens while the countdown runs, and right at its end."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    CLOSING,
    SAVING,
    assert_said,
    assert_stays_connected,
    assert_untouched,
    count,
    wait_countdown,
    wait_lost,
)
from tests.blender.stage import EDIT, ROOM, edit, saved_location, status


def test_back_after_all_attempts_were_spent(make_stage: MakeStage, template: Path) -> None:
    """The original never connects again, and closes."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    stage.engine.start()
    stage.wait_connected(blender)
    assert time.monotonic() < deadline, "too slow to show anything"
    assert_said(
        blender,
        f"[INFO] {ROOM}-second server cleanup timer started",
        "[INFO] Server cleanup timer cancelled",
    )
    assert_stays_connected(blender, deadline)
    assert status(blender)["recoveries"] == 1
    assert_untouched(blender, stage.file, template)


def test_back_while_the_save_is_running(make_stage: MakeStage, tmp_path: Path) -> None:
    """The save ends, Blender stays."""
    metrics = tmp_path / "lifeline.prom"
    stage = make_stage(cleanup_timeout=1, early_copy=0, metrics_file=str(metrics))
    blender = stage.launch(stage.file)
    edit(blender)
    done = tmp_path / "done"
    blender.run(
        "import os, time\n"
        "def slow(*_):\n"
        "    end = time.monotonic() + 60\n"
        f"    while not os.path.exists({str(done)!r}) and time.monotonic() < end:\n"
        "        time.sleep(0.05)\n"
        "bpy.app.handlers.save_pre.append(slow)"
    )
    stage.engine.kill()
    blender.wait_for_line(SAVING, 30)
    stage.engine.start()
    # Blender's main thread is in the save: this is the host's own thread, which hears of it a
    # moment after the server lists it.
    connected = re.compile(r'_state="connected"[^}]*} 1\b')
    blender.wait_alive("connected", lambda: bool(connected.search(metrics.read_text())), 30)
    stage.engine.wait_for_blender("ann", 30)
    assert blender.lines.matching(r"Connected to server$")[1:] == []
    done.touch()
    stage.wait_connected(blender)
    blender.wait_for_line("a save has ended|the save that is running ends", 30)
    assert_stays_connected(blender, time.monotonic() + 2)
    assert count(blender, SAVING) == 1
    assert saved_location(stage.file) == EDIT


@pytest.mark.parametrize(
    ("when", "settings"),
    [
        ("connected", {"cleanup_timeout": 1}),
        ("reconnecting", {"retry_delay": 2, "retry_delay_max": 2, "cleanup_timeout": 1}),
        ("counting-down", {"cleanup_timeout": ROOM}),
    ],
)
def test_a_file_is_opened(
    make_stage: MakeStage, template: Path, when: str, settings: dict[str, float]
) -> None:
    """The countdown goes on, and what is open at its end is saved."""
    stage = make_stage(**settings)
    other = stage.new_file("other")
    blender = stage.launch(stage.file)
    if when != "connected":
        stage.engine.kill()
        wait_lost(blender)
    deadline = wait_countdown(blender) if when == "counting-down" else None
    blender.run(f"bpy.ops.wm.open_mainfile(filepath={str(other)!r})")
    edit(blender)
    assert status(blender)["phase"] == when
    if when == "connected":
        stage.engine.kill()
    stage.assert_closed(blender)
    ended_at = time.monotonic()
    assert_said(blender, f"[INFO] Saving Blender file: {other}", "[INFO] Closing Blender instance")
    assert count(blender, "cleanup timer started") == 1
    if deadline is not None:
        saved_at = blender.wait_for_line(SAVING, 1).at
        assert deadline - 0.5 < saved_at <= ended_at
    assert saved_location(other) == EDIT
    assert stage.file.read_bytes() == template.read_bytes()


def test_server_events_outlive_the_opening_of_a_file(make_stage: MakeStage) -> None:
    """The original's command timer is gone from then on."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    blender.run(
        "import cr8_router\n"
        "line = cr8_router.handler()\n"
        "line.on('ask', lambda data: line.emit('answer', data))"
    )
    other = stage.new_file("other")
    blender.run(f"bpy.ops.wm.open_mainfile(filepath={str(other)!r})")
    stage.engine.emit("ann", "ask", {"question": 42})
    assert stage.engine.wait_for_event("ann", "answer", 30)["data"] == [{"question": 42}]
    assert count(blender, CLOSING) == 0
