"""What enabling takes of the main thread: nearly nothing, and the add-on is there all the same."""

from __future__ import annotations

from dataclasses import replace

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
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


def without_addon(stage: Stage) -> Blender:
    """It can be enabled."""
    stage.profile.prepare()
    profile = replace(stage.profile, addon=False)
    return stage.own(Blender.start(profile, environment=stage.engine.line("ann"))).wait_ready()


def test_it_is_imported_beside_the_main_thread(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = without_addon(stage)
    blender.run(WATCH + ENABLE)
    stage.engine.wait_for_blender("ann")
    on_main, elsewhere = blender.run(
        "import builtins; result = [builtins.on_main, builtins.elsewhere]"
    )
    assert on_main == ["cr8_router", "cr8_router.loading"]
    assert {"cr8_router.session", "cr8_router.ui", "cr8_router.preferences"} <= set(elsewhere)


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
    loaded = "import cr8_router; result = cr8_router.loading.loaded()"
    blender.wait_alive("everything is imported", lambda: blender.run(loaded), 30)
    blender.run("import time; time.sleep(0.3)")
    assert blender.run("import cr8_router; result = cr8_router.handler() is None")
    assert not blender.lines.matching("Connecting")
    blender.run(ENABLE)
    stage.engine.wait_for_blender("ann")
