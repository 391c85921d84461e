"""The one timer on which everything hangs: Blender drops it when it raises, whatever it raises."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, LINE_SECONDS, count
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.faults.outcome import assert_closed_once, assert_kept

REGISTERED = """
import cr8_router
result = bpy.app.timers.is_registered(cr8_router.lifeline.session._session.pump._timer)
"""
# What becomes of the timer, from a timer of somebody else's.
GONE = {
    "unregistered": "timers.unregister(pump._timer)",
    "far away": """
timers.unregister(pump._timer)
timers.register(pump._timer, first_interval=1e9, persistent=True)
""",
    "in the step": """
def raise_once():
    del live.poll
    raise {error}
live = cr8_router.lifeline.session.connection()
live.poll = raise_once
""",
    "after the step": """
def slip(frame, event, _argument):
    if event == "return" and frame.f_code is pump._timer.__code__:
        sys.setprofile(None)
        raise {error}
sys.setprofile(slip)
""",
}
ENDS = """
import sys, cr8_router
timers, pump = bpy.app.timers, cr8_router.lifeline.session._session.pump
"""
# The order to save has left the host, and has not reached who carries it out.
STRIKE_AT_THE_ORDER = """
import os, signal, cr8_router
class Line:
    def __getattr__(self, name):
        return getattr(line, name)
    def poll(self):
        events = line.poll()
        if any(event.kind in ("save", "quit", "close") for event in events):
            os.kill(os.getpid(), signal.SIGINT)
        return events
live = cr8_router.lifeline.session.connection()
line, live._line = live._line, Line()
"""
HANDLE = """
import sys, time, cr8_router
def handler(*_):
    print("handling", flush=True)
    {body}
cr8_router.handler().on("task", handler)
"""
FAILED = r"^\[ERROR\] A handler of the event task failed$"


def interrupt(blender: Blender) -> None:
    os.kill(blender.pid, signal.SIGINT)
    # Python's handlers run between two of its steps: give it time for one.
    time.sleep(0.2)


def test_ctrl_c_in_the_servers_terminal(make_stage: MakeStage) -> None:
    """An idle Blender runs little else than the add-on: it is what KeyboardInterrupt strikes."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    for _press in range(20):
        interrupt(blender)
    assert_guarded(stage, blender)
    assert count(blender, r"^\[INFO\] Ctrl-C \(SIGINT\): Blender goes on") >= 1


def test_ctrl_c_when_the_order_comes(make_stage: MakeStage) -> None:
    """It must not be lost: it is given once."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(STRIKE_AT_THE_ORDER)
    assert_guarded(stage, blender)


def assert_guarded(stage: Stage, blender: Blender) -> None:
    """The server is lost, and everything goes its way."""
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("in the step", "KeyboardInterrupt"),
        ("in the step", "SystemExit"),
        ("in the step", "GeneratorExit"),
        # Blender itself ends at a SystemExit that comes out of a timer.
        ("after the step", "KeyboardInterrupt"),
    ],
)
def test_whatever_it_raises(make_stage: MakeStage, where: str, error: str) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(ENDS + GONE[where].format(error=error))
    time.sleep(1.5)  # for the next tick, which is the one that fails
    assert_guarded(stage, blender)


@pytest.mark.parametrize("how", ["unregistered", "far away"])
def test_it_does_not_tick_any_more(make_stage: MakeStage, how: str) -> None:
    """For whatever reason."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(ENDS + GONE[how])
    assert_guarded(stage, blender)


@pytest.mark.parametrize("error", ["sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_handler_of_a_servers_event(make_stage: MakeStage, error: str) -> None:
    """Code of somebody else's, and it may call `sys.exit`."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(HANDLE.format(body=error))
    stage.engine.emit("ann", "task")
    blender.wait_for_line(FAILED, LINE_SECONDS)
    assert count(blender, CLOSING) == 0
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


def test_ctrl_c_still_ends_a_handler_that_goes_on_for_ever(make_stage: MakeStage) -> None:
    """The add-on is spared, not what it calls: a person must be able to break that off."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(HANDLE.format(body="while True: time.sleep(0.05)"))
    stage.engine.emit("ann", "task")
    blender.wait_for_line("^handling$", LINE_SECONDS)
    interrupt(blender)
    blender.wait_for_line(FAILED, LINE_SECONDS)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


WATCHED = """
import threading
result = any(one.name == "cr8-clock" for one in threading.enumerate())
"""


@pytest.mark.parametrize("error", ["OSError('no look')", "SystemExit()"])
def test_the_thread_that_watches_it_dies(make_stage: MakeStage, error: str) -> None:
    """It goes on after an exception; and one that has ended is begun again."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(
        ENDS + "def look():\n"
        "    del pump.look\n"
        f"    raise {error}\n"
        "pump.look = look\n"
        "import time; time.sleep(2.5)\n"
    )
    blender.wait_alive("the thread", lambda: bool(blender.run(WATCHED)), LINE_SECONDS)
    blender.run(ENDS + GONE["unregistered"])
    blender.wait_alive("the timer again", lambda: bool(blender.run(REGISTERED)), LINE_SECONDS)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


CLEAR = """
for name in dir(bpy.app.handlers):
    listeners = getattr(bpy.app.handlers, name)
    if isinstance(listeners, list):
        listeners.clear()
"""


def test_a_script_clears_the_lists_of_handlers(make_stage: MakeStage) -> None:
    """What a person saves after that is no other Blender's version."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    blender.run(CLEAR)
    time.sleep(1.5)  # for the next tick
    blender.run("bpy.data.objects['Cube'].location.x = 9; bpy.ops.wm.save_mainfile()")
    edit(blender)
    assert_guarded(stage, blender)


FAIL_ONCE = """
import cr8_router
live = cr8_router.lifeline.session.connection()
def perform():
    del live.perform_cleanup
    raise SystemExit
live.perform_cleanup = perform
"""


def test_an_order_that_fails_is_answered(make_stage: MakeStage) -> None:
    """The host would wait for ever; so it asks again."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(FAIL_ONCE)
    stage.engine.kill()
    stage.assert_closed(blender)
    entry = stage.journal.entry()
    assert [save["ok"] for save in entry["saves"]] == [False, True]
    assert saved_location(Path(str(entry["saves"][-1]["path"]))) == EDIT
