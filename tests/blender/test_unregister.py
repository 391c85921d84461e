"""Taking the add-on away leaves a Blender that nothing happens to any more."""

from __future__ import annotations

import time
from pathlib import Path

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_untouched, wait_countdown
from tests.blender.process_traces import line_threads, sockets_to
from tests.blender.stage import ROOM, edit

# Keeps hold of the timer's function, which is how Blender knows it.
REMEMBER = """
import builtins
from cr8_router.lifeline import session
builtins.pump_timer = session._session.pump._timer
"""
TRACES = """
import builtins
result = {
    "timer": bpy.app.timers.is_registered(builtins.pump_timer),
    "handlers": sum(
        getattr(function, "__module__", "").startswith("cr8_router")
        for name in dir(bpy.app.handlers)
        if isinstance(functions := getattr(bpy.app.handlers, name), list)
        for function in functions
    ),
    "panel": hasattr(bpy.types, "CR8_PT_line"),
}
"""
UNREGISTER = "import addon_utils; addon_utils.disable('cr8_router')"


def assert_no_traces(blender: Blender, port: int) -> None:
    assert blender.run(TRACES) == {"timer": False, "handlers": 0, "panel": False}
    # A thread or socket may take a moment to end.
    blender.wait_alive(
        "no thread and no socket of the line",
        lambda: not line_threads(blender.pid) and sockets_to(blender.pid, port) == 0,
        10,
    )


def test_unregistered_in_the_countdown(make_stage: MakeStage, template: Path) -> None:
    """With the pop-up of the countdown open, over whose buttons Blender must not stumble."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(REMEMBER)
    stage.engine.kill()
    deadline = wait_countdown(blender)
    there = blender.run(TRACES)
    assert there["timer"]
    assert there["handlers"] > 0
    assert there["panel"]
    assert line_threads(blender.pid)["lifeline"] == 1
    blender.run(UNREGISTER)
    assert time.monotonic() < deadline, "too slow to show anything"
    assert_no_traces(blender, stage.engine.port)
    time.sleep(max(0.0, deadline + 2 - time.monotonic()))
    assert blender.run("result = bpy.data.filepath") == str(stage.file)
    assert_untouched(blender, stage.file, template)


def test_unregistered_while_connected(make_stage: MakeStage) -> None:
    """The server hears a goodbye."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    blender.run(REMEMBER)
    assert line_threads(blender.pid)["lifeline"] == 1
    assert sockets_to(blender.pid, stage.engine.port) == 1
    blender.run(UNREGISTER)
    assert_no_traces(blender, stage.engine.port)
    blender.wait_alive("the goodbye", lambda: stage.engine.blender("ann") is None, 10)
    last = stage.engine.status()["history"][-1]
    assert (last["what"], last["reason"]) == ("disconnected", "client disconnect")
