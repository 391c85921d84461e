"""What enabling takes of the main thread: nearly nothing, and the add-on is there all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.wall_clock import DAY, WallClock

from tests.blender.conftest import MakeStage
from tests.blender.observe import count
from tests.blender.stage import Stage

ENABLE = "import addon_utils; addon_utils.enable('cr8_router', default_set=True)\n"
# Who imports which of the add-on's modules.
WATCH = """
import builtins, sys, threading
builtins.on_main, builtins.elsewhere = [], []

class Watch:
    @staticmethod
    def find_spec(name, *_):
        on_main = threading.current_thread() is threading.main_thread()
        if name.startswith("cr8_router"):
            (builtins.on_main if on_main else builtins.elsewhere).append(name)

sys.meta_path.insert(0, Watch)
"""


def without_addon(stage: Stage, environment: Mapping[str, str] | None = None) -> Blender:
    """It can be enabled."""
    stage.profile.prepare()
    profile = replace(stage.profile, addon=False)
    line = {**stage.engine.line("ann"), **(environment or {})}
    return stage.own(Blender.start(profile, environment=line)).wait_ready()


def test_it_is_imported_beside_the_main_thread(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = without_addon(stage)
    blender.run(WATCH + ENABLE)
    stage.engine.wait_for_blender("ann")
    on_main, elsewhere = blender.run(
        "import builtins; result = [builtins.on_main, builtins.elsewhere]"
    )
    assert {"cr8_router.lifeline.session", "cr8_router.lifeline.ui"} <= set(elsewhere)
    assert "cr8_router.lifeline.preferences" in elsewhere
    # What an add-on calls, and no more.
    of_lifeline = {name.removeprefix("cr8_router.lifeline") for name in on_main if "life" in name}
    light = {"client", "errors", "handlers", "loading", "options", "running", "sole"}
    assert of_lifeline == {"", *(f".{name}" for name in light)}


def test_who_asks_for_the_handler_at_once_has_it(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = without_addon(stage)
    asked = "import cr8_router\nresult = [cr8_router.started(), cr8_router.handler() is not None]"
    assert blender.run(ENABLE + asked) == [False, True]
    stage.engine.wait_for_blender("ann")


def test_disabled_before_it_has_started(make_stage: MakeStage) -> None:
    """It does not start then, and does when it is enabled again."""
    stage = make_stage()
    blender = without_addon(stage)
    blender.run(ENABLE + "addon_utils.disable('cr8_router')")
    loaded = "import cr8_router; result = cr8_router.lifeline.loading.loaded()"
    blender.wait_alive("everything is imported", lambda: blender.run(loaded), 30)
    blender.run("import time; time.sleep(0.3)")
    assert blender.run("import cr8_router; result = cr8_router.handler() is None")
    assert not blender.lines.matching("Connecting")
    blender.run(ENABLE)
    stage.engine.wait_for_blender("ann")


@pytest.mark.parametrize("error", ["RuntimeError", "KeyboardInterrupt", "SystemExit"])
def test_a_start_that_fails_is_tried_again(make_stage: MakeStage, error: str) -> None:
    """A Blender without a line would be an orphan that nobody hears of."""
    stage = make_stage()
    blender = without_addon(stage)
    blender.run(
        "import builtins, os, cr8_router\n"
        "cr8_router.__time__ = os.path.getmtime(cr8_router.__file__)  # it is not to be reloaded\n"
        "cr8_router.lifeline.loading._AGAIN = 0.2\n"
        "builtins.failures, start = 2, cr8_router.lifeline.running.start\n"
        "def fail_first():\n"
        "    if builtins.failures:\n"
        "        builtins.failures -= 1\n"
        f"        raise {error}('not yet')\n"
        "    start()\n"
        "cr8_router.lifeline.running.start = fail_first\n" + ENABLE
    )
    stage.engine.wait_for_blender("ann")
    assert count(blender, r"^\[ERROR\] Lifeline has not started; it tries again") == 1
    assert blender.run("import cr8_router; result = cr8_router.started()") is True


def test_a_clock_that_is_set_back_meanwhile(make_stage: MakeStage, tmp_path: Path) -> None:
    """Blender's timers stand still then, and its line comes up all the same."""
    stage = make_stage()
    clock = WallClock(tmp_path / "clock")
    blender = without_addon(stage, clock.environment)
    seconds = clock.environment["LIFELINE_WALL_CLOCK"]
    set_back = f"open({seconds!r}, 'r+b').write(struct.pack('=q', {-round(DAY)}))"
    blender.begin(ENABLE + "import struct\n" + set_back)
    stage.engine.wait_for_blender("ann", 20)


def test_its_timer_is_gone_meanwhile(make_stage: MakeStage) -> None:
    """Ctrl-C, for one, strikes between two of its lines."""
    stage = make_stage()
    blender = without_addon(stage)
    lose = "timer = cr8_router.lifeline.running._loading._timer; bpy.app.timers.unregister(timer)"
    blender.run(ENABLE + "import cr8_router\n" + lose)
    stage.engine.wait_for_blender("ann", 20)
