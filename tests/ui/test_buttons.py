"""Pressed by hand: what is in the panel, in the pop-up, in the menu and in the search."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.errors import WaitError
from lifeline_harness.pointer import Pointer

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_phase, wait_unreachable
from tests.blender.stage import EDIT, Stage, edit, saved_location, status
from tests.ui.window import ASIDE, SIDEBAR, find_buttons, open_panel

# Looking for buttons takes a person's time.
pytestmark = pytest.mark.timeout(400)

LONG = 600


def in_countdown(make_stage: MakeStage, **settings: float) -> tuple[Stage, Blender]:
    stage = make_stage(**{"cleanup_timeout": LONG, "warn_before": 1, **settings})
    blender = stage.launch(stage.file)
    stage.engine.kill()
    wait_unreachable(blender)
    return stage, blender


def test_each_button_of_the_panel_can_be_reached_and_pressed(
    make_stage: MakeStage, pointer: Pointer
) -> None:
    stage, blender = in_countdown(make_stage)
    pointer.press("Escape")  # the pop-up
    open_panel(blender, pointer)
    wanted = {
        "cr8.try_now",
        "cr8.keep_open",
        "cr8.extend",
        "cr8.release",
        "cr8.save_and_close",
        "cr8.open_recovery_folder",
        "cr8.swap_policy",
        "cr8.revert_policy",
    }
    found = find_buttons(blender, pointer, SIDEBAR, wanted)
    before = status(blender)["remaining"]
    assert isinstance(before, float)

    def press(button: str, done: Callable[[], bool]) -> None:
        """A Blender that is busy drawing may miss a click: a person would try again."""
        for _try in range(5):
            pointer.move(*ASIDE)
            time.sleep(0.5)
            pointer.click(*found[button])
            with suppress(WaitError):
                blender.wait_alive(f"what {button} does", done, 5)
                return
        raise AssertionError(f"{button} does nothing")

    press("cr8.extend", lambda: _remaining(blender) > before + 200)
    press("cr8.keep_open", lambda: status(blender)["phase"] == "held")
    press("cr8.release", lambda: status(blender)["phase"] == "counting-down")
    stage.engine.start()
    wait_phase(blender, "connected")


def _remaining(blender: Blender) -> float:
    remaining = status(blender)["remaining"]
    return remaining if isinstance(remaining, float) else 0.0


def test_the_pop_up_of_a_warning_does_nothing_that_lasts(
    make_stage: MakeStage, pointer: Pointer
) -> None:
    """Its entry lies below the pointer: a key meant for something else opens a menu, no more."""
    stage = make_stage(cleanup_timeout=LONG, warn_before=1)
    blender = stage.launch(stage.file)
    pointer.move(*ASIDE)
    stage.engine.kill()
    wait_unreachable(blender)
    time.sleep(1)
    pointer.press("Return")
    time.sleep(1)
    # What the first entry leads to: an attempt, unless one is under way.
    tried = "Trying to connect now|An attempt to connect is under way"
    assert blender.lines.matching(tried) == []
    assert status(blender)["phase"] == "counting-down"
    pointer.press("Return")
    blender.wait_for_line(tried, 10)


def test_a_slip_of_the_hand_does_not_close_blender(make_stage: MakeStage, pointer: Pointer) -> None:
    """Save and Close Now asks first; confirmed, it does."""
    stage, blender = in_countdown(make_stage)
    edit(blender)
    pointer.press("Escape")
    open_panel(blender, pointer)
    wanted = {"cr8.save_and_close"}
    place = find_buttons(blender, pointer, SIDEBAR, wanted)["cr8.save_and_close"]
    pointer.click(*place)
    time.sleep(1)
    assert status(blender)["phase"] == "counting-down"
    pointer.press("Escape")
    time.sleep(1)
    assert status(blender)["phase"] == "counting-down"
    pointer.move(*ASIDE)
    pointer.click(*place)
    time.sleep(1)
    pointer.press("Return")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_what_can_be_pressed_is_found_by_the_search(
    make_stage: MakeStage, pointer: Pointer
) -> None:
    _stage, blender = in_countdown(make_stage)
    pointer.press("Escape")
    pointer.move(*ASIDE)
    time.sleep(0.5)
    pointer.press("F3")
    time.sleep(1)
    pointer.type("Keep Open")
    time.sleep(1)
    pointer.press("Return")
    wait_phase(blender, "held")
