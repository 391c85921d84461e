"""What a person can see and do."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import FloatRect

from tests.browser.conftest import MakeStage, OpenTab
from tests.browser.tab import Tab
from tests.browser.test_outages import relaunched

COUNTING = "#title:has-text('Blender will save and close in')"


def test_try_now_finds_the_server_at_once(make_stage: MakeStage, open_tab: OpenTab) -> None:
    # By itself the page would look again after ten minutes.
    stage = make_stage(retry_delay=600, retry_delay_max=600)
    tab = open_tab(stage)
    tab.wait("connected")
    stage.engine.kill()
    tab.wait("reconnecting")
    stage.engine.start()
    tab.press("try")
    tab.wait("connected")


def test_end_now_ends_this_session_alone(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(cleanup_timeout=60)
    tab = open_tab(stage)
    tab.wait("connected")
    tab.write_notes()
    stage.engine.kill()
    tab.wait("unreachable")
    tab.press("end")
    tab.wait("closed")
    assert tab.notes() == ""
    assert "Blender saves your work and closes in" in tab.text()


def test_the_countdown_is_seen_and_not_said_each_second(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage(cleanup_timeout=300, warn_before="297")
    tab = open_tab(stage)
    tab.wait("connected")
    # Whatever a screen reader would say.
    tab.page.evaluate(
        """() => {
            window.said = [];
            for (const id of ["polite", "urgent"]) {
                const watch = () => window.said.push(document.getElementById(id).textContent);
                const all = { childList: true, characterData: true, subtree: true };
                new MutationObserver(watch).observe(document.getElementById(id), all);
            }
        }"""
    )
    stage.engine.kill()
    tab.page.wait_for_selector(COUNTING)
    first = tab.title()
    tab.page.wait_for_function(
        "said.filter((it) => it.startsWith('Blender will save')).length === 2"
    )
    tab.page.wait_for_function(f"document.getElementById('title').textContent !== '{first}'")
    said = tab.page.evaluate("said")
    counted = [line for line in said if line.startswith("Blender will save")]
    assert counted == [
        "Blender will save and close in 5:00.",
        "Blender will save and close in 4:57.",
    ]
    live = tab.page.eval_on_selector_all("[aria-live]", "all => all.map((it) => it.id)")
    assert sorted(live) == ["polite", "urgent"]


HARMLESS = ("try", "connect", "launch")
ENDING = ("end", "disconnect")


def _places(tab: Tab, buttons: tuple[str, ...]) -> list[FloatRect]:
    boxes = [tab.page.locator(f"#{button}").bounding_box() for button in buttons]
    return [box for box in boxes if box is not None]


def _overlap(one: FloatRect, other: FloatRect) -> bool:
    beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    apart = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
    return not (beside or apart)


def test_every_state_is_for_everybody_and_no_button_turns_into_its_opposite(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage(cleanup_timeout=60, quit_floor=1)
    tab = open_tab(stage)
    harmless: list[FloatRect] = []
    ending: list[FloatRect] = []

    def look(state: str, name: str) -> None:
        tab.wait(state)
        tab.picture(name)
        assert (name, tab.violations()) == (name, [])
        harmless.extend(_places(tab, HARMLESS))
        ending.extend(_places(tab, ENDING))

    look("connected", "no-blender")
    tab.press("disconnect")
    look("idle", "idle")
    tab.press("connect")
    tab.wait("connected")
    stage.engine.kill()
    look("reconnecting", "reconnecting-people")
    look("unreachable", "unreachable")
    tab.press("end")
    look("closed", "closed-people")
    assert len(harmless) == 5
    assert len(ending) == 2
    assert not any(_overlap(one, other) for one in harmless for other in ending)


# Firefox's long-term line cannot be told what colours somebody likes.
@pytest.mark.parametrize("program", ["chromium"], indirect=True)
def test_the_dark_page_is_for_everybody_too(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(cleanup_timeout=60)
    tab = open_tab(stage)
    tab.page.emulate_media(color_scheme="dark")
    tab.wait("connected")
    assert tab.violations() == []
    stage.engine.kill()
    tab.wait("unreachable")
    tab.picture("unreachable-dark")
    assert tab.violations() == []


def test_focus_stays_with_what_is_said(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(retry_delay=600, retry_delay_max=600)
    tab = open_tab(stage)
    tab.wait("connected")
    tab.page.focus("#disconnect")
    stage.engine.kill()
    tab.wait("reconnecting")
    assert tab.focused() == "title"
    tab.page.keyboard.press("Tab")
    assert tab.focused() == "try"
    stage.engine.start()
    tab.page.keyboard.press("Enter")
    tab.wait("connected")
    assert tab.focused() == "title"
    # Who writes is not disturbed.
    tab.page.focus("#notes")
    stage.engine.kill()
    tab.wait("reconnecting")
    assert tab.focused() == "notes"


def test_a_first_blender_is_started_and_not_said_to_be_back(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage()
    tab = open_tab(stage)
    tab.wait("connected")
    tab.press("launch")
    assert tab.title() == "Starting Blender with job.blend"
    assert tab.page.inner_text("#state") == "Connected"
    assert tab.focused() == "title"
    assert tab.violations() == []
    tab.wait_blender("launching")
    tab.picture("starting")
    relaunched(stage, tab)
    assert "Server is back" not in tab.text()


def test_a_server_that_refuses_is_not_said_to_be_away(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage()
    # It is never told what the Blenders go by.
    given = {"token": "wrong", "settings": json.dumps({"retry_attempts": 1, "retry_delay": 1})}
    tab = open_tab(stage, **given)
    tab.wait("unreachable")
    tab.page.wait_for_selector("text=It says: authentication failed: wrong token")
    assert "This session ends in" in tab.title()
    assert tab.violations() == []
    assert "Blender will save and close" not in tab.text()
    tab.picture("refused")


@pytest.mark.parametrize("program", ["chromium"], indirect=True)
def test_a_bar_that_moves_for_ever_is_not_shown_to_who_does_not_want_it(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage(retry_delay=600, retry_delay_max=600)
    tab = open_tab(stage)
    tab.wait("connected")
    stage.engine.kill()
    tab.wait("reconnecting")
    assert tab.page.is_visible("#bar")
    tab.page.emulate_media(reduced_motion="reduce")
    assert not tab.page.is_visible("#bar")
