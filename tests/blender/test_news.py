"""What comes after a long silence does not wait until somebody looks."""

from __future__ import annotations

from lifeline_harness.blender import Blender
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage

# Nobody looks sooner than Blender's timer may be put off: ten seconds.
SELDOM = """
import time, cr8_router
from cr8_router.lifeline import session
session.pace = lambda silence: 60.0
session._CONNECTED = 60.0
handled = cr8_router.handled = []
cr8_router.handler().on("task", lambda *_: handled.append(time.monotonic()))
"""
# When it will look, if that is not soon.
DUE = """
import time, cr8_router
pump = cr8_router.lifeline.session._session.pump
result = pump._due_at if pump.is_slow and pump._due_at > time.monotonic() + 6 else None
"""
HANDLED = "import cr8_router; result = cr8_router.handled"
SCRIPT = f"""
import cr8_router
{SELDOM}
cr8_router.handler().on("task", lambda *_: print("handled", flush=True))
cr8_router.run()
"""


def when_handled(blender: Blender, number: int) -> float:
    def found() -> float | None:
        handled: list[float] = blender.run(HANDLED)
        return handled[number] if len(handled) > number else None

    return wait_until("the event", found, 30.0)


def wait_for_lines(blender: Blender, number: int) -> None:
    def found() -> bool:
        return len(blender.lines.matching("^handled$")) >= number

    blender.wait_alive("the event", found, 30)


def test_a_timer_is_called_at_once(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    blender.run(SELDOM)
    for number in range(3):
        due = wait_until("a timer that is slow", lambda: blender.run(DUE), 60.0)
        stage.engine.emit("ann", "task", number)
        handled_at = when_handled(blender, number)
        assert handled_at < due - 1
    assert blender.run("import cr8_router; result = cr8_router.handler().status()['connected']")


def test_the_loop_of_a_background_blender_goes_on_at_once(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.own(
        Blender.start(
            stage.profile,
            stage.file,
            environment=stage.engine.line("ann"),
            background=True,
            arguments=["--python-expr", SCRIPT],
        )
    )
    stage.engine.wait_for_blender("ann", 60)
    for number in range(3):
        stage.engine.emit("ann", "task", number)
        wait_for_lines(blender, number + 1)
