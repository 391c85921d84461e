"""A button never turns into another one under the pointer, and no two clicks close Blender."""

from __future__ import annotations

import time

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.journal import Request
from lifeline_harness.pointer import Pointer

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, count, wait_countdown, wait_phase
from tests.blender.stage import EDIT, Stage, edit, saved_location, status
from tests.ui.window import ASIDE, SIDEBAR, find_buttons, open_panel, scan

# Looking for buttons takes a person's time.
pytestmark = pytest.mark.timeout(900)

LONG = 600
CLICKS = 10
# How far below the pointer a question has its answer.
ANSWER = 46
# What the journal says of each; None: nothing.
REQUESTS = {
    "cr8.try_now": None,
    "cr8.keep_open": "hold",
    "cr8.extend": "extend",
    "cr8.release": "release",
    "cr8.save_and_close": "close-now",
    "cr8.open_recovery_folder": None,
    "cr8.revert_policy": None,
}
PLACES = {*REQUESTS, "cr8.swap_policy"}


def begin(make_stage: MakeStage, pointer: Pointer) -> tuple[Stage, Blender]:
    stage = make_stage(cleanup_timeout=LONG, warn_before=1)
    blender = stage.launch(stage.file)
    open_panel(blender, pointer)
    return stage, blender


def lose(stage: Stage, blender: Blender, pointer: Pointer) -> None:
    lost = time.monotonic()
    stage.engine.kill()
    wait_countdown(blender, since=lost)
    pointer.press("Escape")  # the pop-up


def requests_of(stage: Stage, blender: Blender) -> list[Request]:
    """What was asked for in the outage, which ends here; nothing was saved or closed."""
    ended = len(stage.journal.entries())
    stage.engine.start()
    stage.wait_connected(blender)
    blender.wait_alive("the journal's line", lambda: len(stage.journal.entries()) > ended, 10)
    said = [count(blender, line) for line in (SAVING, CLOSING)]
    assert said == [0, 0], blender.lines.tail(60)
    return stage.journal.entries()[-1]["requests"]


def enter(blender: Blender, state: str) -> None:
    """Hold or release, if need be; not by a button."""
    if status(blender)["phase"] != state:
        request = "hold" if state == "held" else "release"
        blender.run(f"import cr8_router; cr8_router.handler().{request}(by='the test')")
        wait_phase(blender, state)


def test_each_action_has_one_place_in_every_state(make_stage: MakeStage, pointer: Pointer) -> None:
    """Greyed out where it cannot be pressed, not gone."""
    stage, blender = begin(make_stage, pointer)
    places = {"connected": scan(blender, pointer, SIDEBAR, PLACES)}
    lose(stage, blender, pointer)
    places["counting-down"] = scan(blender, pointer, SIDEBAR, PLACES)
    blender.run("bpy.ops.cr8.keep_open()")
    wait_phase(blender, "held")
    places["held"] = scan(blender, pointer, SIDEBAR, PLACES)
    blender.run("bpy.ops.cr8.disconnect()")
    others = {"cr8.connect", "cr8.show_preferences"}
    places["idle"] = scan(blender, pointer, SIDEBAR, PLACES | others)
    # Where nothing is to be pressed otherwise.
    assert all(places["idle"].pop(name) not in places["held"].values() for name in others)
    for state, found in places.items():
        assert found == places["connected"], state


@pytest.mark.parametrize("state", ["counting-down", "held"])
def test_ten_clicks_at_one_place_do_one_thing(
    make_stage: MakeStage, pointer: Pointer, state: str
) -> None:
    """On each button; what closes Blender is not answered by a second click."""
    stage, blender = begin(make_stage, pointer)
    places = find_buttons(blender, pointer, SIDEBAR, PLACES)
    edit(blender)
    lose(stage, blender, pointer)
    for name in REQUESTS:
        enter(blender, state)
        pointer.press("Escape")  # the pop-up of a countdown that begins afresh
        # So that the journal says where the clicks on this one begin.
        blender.run(f"import cr8_router; cr8_router.handler().extend(1, by={name!r})")
        time.sleep(1)  # the panel is drawn again
        pointer.click(*places[name], times=CLICKS)
        pointer.press("Escape")
        pointer.move(*ASIDE)
    asked: dict[str, list[str]] = {}
    for one in requests_of(stage, blender):
        if one["by"] in REQUESTS:
            asked[one["by"]] = []
        elif one["by"] != "the test":
            asked[list(asked)[-1]].append(one["request"])
    assert set(asked) == set(REQUESTS)
    for name, request in REQUESTS.items():
        possible = ["release"] if state == "held" else ["hold", "extend"]
        assert set(asked[name]) == {request} & set(possible), name
        # Then the button is greyed out, and nothing else is in its place.
        assert request == "extend" or len(asked[name]) <= 1, name


@pytest.mark.parametrize("name", ["cr8.keep_open", "cr8.extend", "cr8.save_and_close"])
def test_clicks_at_one_place_from_the_loss_to_the_end_of_an_outage(
    make_stage: MakeStage, pointer: Pointer, name: str
) -> None:
    """Connected, reconnecting, countdown with its pop-up, held, connected."""
    stage, blender = begin(make_stage, pointer)
    place = find_buttons(blender, pointer, SIDEBAR, PLACES)[name]
    edit(blender)
    pointer.click(*place, times=CLICKS)
    stage.engine.kill()
    while status(blender)["phase"] in ("connected", "reconnecting"):
        pointer.click(*place)
    pointer.click(*place, times=CLICKS)
    asked = {one["request"] for one in requests_of(stage, blender)}
    pointer.click(*place, times=CLICKS)
    assert blender.exit_code() is None
    assert asked <= {REQUESTS[name]} - {"close-now"}


def test_what_is_confirmed_is_done(make_stage: MakeStage, pointer: Pointer) -> None:
    """By a pointer that has moved to the answer."""
    stage, blender = begin(make_stage, pointer)
    x, y = find_buttons(blender, pointer, SIDEBAR, PLACES)["cr8.save_and_close"]
    edit(blender)
    lose(stage, blender, pointer)
    pointer.click(x, y)
    time.sleep(1)
    pointer.click(x, y + ANSWER)
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
