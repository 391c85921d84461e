"""The add-on is disabled and enabled, or registered once more.

Disabled for good: see `tests/blender/test_unregister.py`.
"""

from __future__ import annotations

import time
from typing import Any

from lifeline_harness.blender import Blender
from lifeline_harness.journal import check

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, assert_said, count, wait_countdown
from tests.blender.process_traces import line_threads, sockets_to
from tests.blender.stage import EDIT, ROOM, edit, saved_location
from tests.faults.outcome import assert_closed_once, assert_kept

DISABLE = "import addon_utils; addon_utils.disable('cr8_router')"
ENABLE = "import addon_utils; addon_utils.enable('cr8_router')"
PARTS = """
def below(base):
    for one in base.__subclasses__():
        yield one
        yield from below(one)

result = {
    "handlers": sorted(
        name
        for name in dir(bpy.app.handlers)
        if isinstance(functions := getattr(bpy.app.handlers, name), list)
        for function in functions
        if getattr(function, "__module__", "").startswith("cr8_router")
    ),
    "classes": sorted(
        one.__name__
        for base in (bpy.types.Panel, bpy.types.Operator, bpy.types.AddonPreferences)
        for one in below(base)
        if one.__module__.startswith("cr8_router") and one.is_registered
    ),
}
"""


def parts(blender: Blender) -> dict[str, Any]:
    """What the add-on has in Blender, each as often as it is there."""
    found: dict[str, Any] = blender.run(PARTS)
    return found


def test_disabled_and_enabled_in_the_countdown(make_stage: MakeStage) -> None:
    """The old countdown is gone; beside the dead server a new one begins."""
    stage = make_stage(cleanup_timeout=ROOM)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    old = wait_countdown(blender)
    blender.run(DISABLE)
    blender.wait_alive("no thread of the line", lambda: not line_threads(blender.pid), 10)
    assert time.monotonic() < old, "too slow to show anything"
    enabled_at = time.monotonic()
    blender.run(ENABLE)
    new = wait_countdown(blender, since=enabled_at)
    assert_said(blender, "[WARNING] Server not reached yet. Trying to connect.")
    assert count(blender, SAVING) == 0
    stage.assert_closed(blender)
    assert [count(blender, line) for line in (SAVING, CLOSING)] == [1, 1]
    assert blender.wait_for_line(SAVING, 1).at > new - 0.5
    assert saved_location(stage.file) == EDIT
    first, second = stage.journal.entries()
    check(first, outcome="closed", safe=None)
    check(second, outcome="quit", safe=True, path=stage.file)


# What else an add-on may leave in a process.
LEFT = """
import logging, os, sys, threading
loggers = [logging.getLogger(name) for name in ("cr8_router", "cr8_router.lifeline")]
result.update(
    threads=sorted(one.name for one in threading.enumerate()),
    logging=[[len(one.handlers), one.propagate] for one in loggers],
    path=sys.path,
    guarded=hasattr(sys, "_lifeline_of_this_blender"),
    operators=[name for name in ("CR8_OT_connect", "WS_HANDLER_OT_connect_websocket")
               if hasattr(bpy.types, name)],
    property=hasattr(bpy.types.WindowManager, "cr8_countdown"),
    descriptors=len(os.listdir("/proc/self/fd")),
)
"""
TIMES = 10


def left(blender: Blender) -> dict[str, Any]:
    """What the process has of the add-on, when what takes a moment to end has ended."""
    ours = "[one for one in result['threads'] if one.startswith('cr8')]"
    blender.wait_alive("no thread", lambda: not line_threads(blender.pid), 10)
    blender.wait_alive(
        "no thread of Python's", lambda: not blender.run(PARTS + LEFT + f"result = {ours}"), 10
    )
    found: dict[str, Any] = blender.run(PARTS + LEFT)
    return found


def test_disabled_and_enabled_ten_times(make_stage: MakeStage) -> None:
    """Nothing is left behind, and nothing more than the first time."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    there = parts(blender)
    blender.run(DISABLE)
    first = left(blender)
    assert (first["handlers"], first["classes"], first["operators"]) == ([], [], [])
    assert (first["guarded"], first["property"]) == (False, False)
    assert first["logging"] == [[0, True], [0, True]]
    for number in range(TIMES):
        blender.run(ENABLE)
        stage.engine.wait_for_blender("ann", 30, connections=number + 2)
        stage.wait_connected(blender)
        assert parts(blender) == there
        blender.run(DISABLE)
    blender.wait_alive("no socket", lambda: not sockets_to(blender.pid, stage.engine.port), 10)
    assert left(blender) == first


def test_registered_twice(make_stage: MakeStage) -> None:
    """There is one add-on, one line, and one clean-up."""
    stage = make_stage(cleanup_timeout=1)
    blender = stage.launch(stage.file)
    once, threads = parts(blender), line_threads(blender.pid)
    del threads["lifeline-probe"]  # there for a moment, if at all
    assert once["handlers"]
    assert "LinePanel" in once["classes"]
    blender.run("import cr8_router; cr8_router.register()")
    stage.engine.wait_for_blender("ann", 30, connections=2)
    stage.wait_connected(blender)
    assert parts(blender) == once
    blender.wait_alive("its threads", lambda: line_threads(blender.pid) == threads, 10)
    blender.wait_alive("one socket", lambda: sockets_to(blender.pid, stage.engine.port) == 1, 10)
    edit(blender)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
