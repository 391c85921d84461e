"""Each operator, run as a script does."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_phase, wait_unreachable
from tests.blender.stage import EDIT, edit, saved_location, status

LONG = 300
# By the name of the test that runs it.
TESTED = {
    "test_those_of_an_outage": (
        "try_now",
        "keep_open",
        "extend",
        "release",
        "save_and_close",
    ),
    "test_the_line_is_ended_and_begun": ("connect", "disconnect"),
    "test_those_of_policies": (
        "swap_policy",
        "reload_policy",
        "revert_policy",
        "check_policy",
        "simulate_outage",
    ),
    "test_those_of_unsaved_work": ("open_recovered", "decline_recovered"),
    "test_those_that_show_something": (
        "show_preferences",
        "open_recovery_folder",
        "copy_status",
    ),
}

UNDO = """
cube = bpy.data.objects["Cube"]
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.ed.undo()
result = tuple(bpy.data.objects["Cube"].location)
"""
MOVE = """
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.data.objects["Cube"].location = (1, 1, 1)
    bpy.ops.ed.undo_push(message="first")
    bpy.data.objects["Cube"].location = (2, 2, 2)
    bpy.ops.ed.undo_push(message="second")
"""


def operate(blender: Blender, call: str) -> list[str]:
    """Its answer. As from a script: without a question."""
    answer: list[str] = blender.run(
        "with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):\n"
        f"    result = list(bpy.ops.cr8.{call})"
    )
    return answer


def can(blender: Blender, name: str) -> bool:
    return bool(blender.run(f"result = bpy.ops.cr8.{name}.poll()"))


def test_all_are_tested(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    there = blender.run("result = dir(bpy.ops.cr8)")
    assert sorted(there) == sorted(name for names in TESTED.values() for name in names)
    for test in TESTED:
        assert test in globals()
    # Each is in the menu, and none can be repeated by Shift R or undone.
    menu = blender.run(
        "from cr8_router.lifeline.ui.menu import ENTRIES\n"
        "result = [name.removeprefix('cr8.') for group in ENTRIES for name in group]"
    )
    assert sorted(menu) == sorted(there)
    options = blender.run(
        "from cr8_router.lifeline.ui.operators import OPERATORS\n"
        "result = [sorted(kind.bl_options) for kind in OPERATORS]"
    )
    assert options == [[]] * len(there)


def test_those_of_an_outage(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    outage = TESTED["test_those_of_an_outage"]
    assert [name for name in outage if can(blender, name)] == []  # while connected
    blender.run(MOVE)
    stage.engine.kill()
    wait_unreachable(blender)
    assert operate(blender, "try_now()") == ["FINISHED"]
    blender.wait_for_line("Trying to connect now|An attempt to connect is under way", 10)
    before = wait_phase(blender, "counting-down")["remaining"]
    assert isinstance(before, float)
    assert operate(blender, "extend(seconds=100)") == ["FINISHED"]
    blender.wait_alive("an extension", lambda: _remaining(blender) > before + 50, 10)
    assert operate(blender, "keep_open()") == ["FINISHED"]
    wait_phase(blender, "held")
    assert not can(blender, "keep_open")
    assert operate(blender, "release()") == ["FINISHED"]
    wait_phase(blender, "counting-down")
    # Nothing of all that is in the undo history.
    assert blender.run(UNDO) == [1, 1, 1]
    edit(blender)
    assert operate(blender, "save_and_close()") == ["FINISHED"]
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def _remaining(blender: Blender) -> float:
    remaining = status(blender)["remaining"]
    return remaining if isinstance(remaining, float) else 0.0


def test_the_server_is_tried_at_once(make_stage: MakeStage) -> None:
    """The next attempt would come in minutes."""
    stage = make_stage(retry_delay=600, retry_delay_max=600, cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    wait_phase(blender, "reconnecting")
    stage.engine.start()
    assert operate(blender, "try_now()") == ["FINISHED"]
    stage.wait_connected(blender)


def test_the_line_is_ended_and_begun(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    assert operate(blender, "disconnect()") == ["FINISHED"]
    blender.wait_alive("gone", lambda: stage.engine.blender("ann") is None, 10)
    assert not can(blender, "disconnect")
    reason = blender.run("import cr8_router; result = cr8_router.lifeline.session.idle_reason()")
    assert reason == "Disconnected by hand: press Connect to start again."
    assert operate(blender, "connect()") == ["FINISHED"]
    stage.wait_connected(blender)


def test_a_setting_that_is_wrong_does_not_end_the_line(make_stage: MakeStage) -> None:
    """Connect says what is wrong, and the line, or its countdown, goes on."""
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)
    blender.run(
        "bpy.context.preferences.addons['cr8_router'].preferences.save_url = 'no such thing'"
    )
    for phase in ("connected", "counting-down"):
        wait_phase(blender, phase)
        said = blender.run(
            "try:\n    bpy.ops.cr8.connect(); result = ''\n"
            "except RuntimeError as error:\n    result = str(error)"
        )
        assert "save_url: not a URL that can be used" in said
        assert status(blender)["phase"] == phase
        if phase == "connected":
            stage.engine.kill()


def test_those_of_policies(make_stage: MakeStage, tmp_path: Path) -> None:
    policies = Path(os.environ["LIFELINE_POLICIES"])
    stage = make_stage(cleanup_timeout=LONG)
    blender = stage.launch(stage.file)

    def decides(name: str) -> None:
        blender.wait_alive(
            f"{name} decides",
            lambda: (
                blender.run(
                    "import cr8_router; result = cr8_router.handler().status()['policy']['name']"
                )
                == name
            ),
            20,
        )

    patient = str(policies / "patient.wasm")
    assert operate(blender, f"swap_policy(filepath={patient!r})") == ["FINISHED"]
    decides("patient")
    assert operate(blender, "revert_policy()") == ["FINISHED"]
    decides("five-minutes")
    mine = tmp_path / "mine.wasm"
    shutil.copy(policies / "render-guard.wasm", mine)
    blender.run(
        "bpy.context.preferences.addons['cr8_router'].preferences.policy = " + repr(str(mine))
    )
    assert operate(blender, "reload_policy()") == ["FINISHED"]
    decides("render-guard")
    assert operate(blender, "check_policy()") == ["FINISHED"]
    assert _outcome(blender, "checked")["usable"]
    mine.write_bytes(b"\0asm not a policy")
    assert operate(blender, "check_policy()") == ["FINISHED"]
    checked = _outcome(blender, "checked")
    assert not checked["usable"]
    assert "cut off or broken" in checked["sentence"]
    shutil.copy(policies / "patient.wasm", mine)
    # Of the policy that decides, as it stands in its file.
    assert operate(blender, "simulate_outage()") == ["FINISHED"]
    played = _outcome(blender, "rehearsed")
    assert played["title"].startswith("patient ")
    assert [what for _at, what in played["lines"]][-2:-1] == ["Blender closes"]


def _outcome(blender: Blender, name: str) -> dict[str, Any]:
    """What a trial has found, once it has ended."""
    blender.wait_alive(
        "the trial's end",
        lambda: blender.run(
            "from cr8_router.lifeline import trials; result = not trials._under_way"
        ),
        60,
    )
    found: dict[str, Any] = blender.run(
        f"from cr8_router.lifeline import trials; result = trials.{name}()._asdict()"
    )
    return found


def test_trials_in_the_background_answer_at_once(make_stage: MakeStage) -> None:
    """There no timer ticks that could bring the answer later."""
    stage = make_stage(cleanup_timeout=90)
    script = "bpy.ops.cr8.check_policy(); bpy.ops.cr8.simulate_outage()"
    blender = stage.own(
        Blender.start(
            stage.profile,
            background=True,
            arguments=["--python-expr", f"import bpy; {script}"],
        )
    )
    assert blender.wait_exit(60) == 0
    for said in (
        "Info: five-minutes .*: Five attempts to reconnect",
        "Info: 0:00 The server is lost",
        "Info: 1:3[0-9] Blender closes",
    ):
        assert blender.lines.matching(said), blender.lines.tail()


def test_those_that_show_something(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    assert operate(blender, "copy_status()") == ["FINISHED"]
    copied = json.loads(blender.run("result = bpy.context.window_manager.clipboard"))
    assert copied["phase"] == "connected"
    assert stage.engine.token not in json.dumps(copied)
    assert operate(blender, "show_preferences()") == ["FINISHED"]
    assert blender.run(
        "result = [area.type for window in bpy.context.window_manager.windows\n"
        "          for area in window.screen.areas].count('PREFERENCES')"
    )
    folder = stage.profile.folder / "datafiles" / "cr8_recovery"
    assert not folder.exists()
    assert operate(blender, "open_recovery_folder()") == ["CANCELLED"]
    # With a folder, Blender's own operator is asked to show it.
    folder.mkdir(parents=True)
    opened = blender.run(
        "from cr8_router.lifeline.recovery import first_folder\nresult = first_folder()"
    )
    assert opened == str(folder)


def test_those_of_unsaved_work(make_stage: MakeStage) -> None:
    """Nothing is offered here; what is, tests/faults/test_found_again.py opens."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    for name in TESTED["test_those_of_unsaved_work"]:
        assert not can(blender, name)
