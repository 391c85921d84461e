"""Both clients lose the same server: the page, and the Blender of its user."""

from __future__ import annotations

import json

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.policies import policy_file
from lifeline_harness.waiting import wait_until
from playwright.sync_api import BrowserContext

from tests.blender.observe import wait_countdown, wait_unreachable
from tests.blender.stage import COMPRESSED, EDIT, Stage, edit, saved_location, status
from tests.browser.conftest import MakeStage, OpenTab
from tests.browser.tab import NOTES, Tab

LAUNCH_SECONDS = 60.0


def launched(stage: Stage) -> list[int]:
    """The Blenders that the present server has started."""
    return [int(one["pid"]) for one in stage.engine.status()["launched"]]


def relaunched(stage: Stage, tab: Tab) -> Blender:
    """The one Blender that this page, or another one, has asked for, once it is connected."""
    (pid,) = wait_until("a Blender is launched", lambda: launched(stage) or None, LAUNCH_SECONDS)
    blender = stage.own(Blender(stage.profile, pid, None)).wait_ready()
    tab.wait_blender("connected", LAUNCH_SECONDS)
    return blender


def at_work(stage: Stage, tab: Tab) -> Blender:
    """A Blender of the page's user, which the page knows, and notes in the page."""
    tab.wait("connected")
    blender = stage.launch(stage.file)
    tab.wait_blender("connected")
    tab.write_notes()
    return blender


def test_shorter_than_the_attempts(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(retry_delay=1, retry_delay_max=2)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    assert tab.title() == "Connected"
    stage.engine.kill()
    tab.wait("reconnecting")
    assert tab.title() in {f"Reconnecting, attempt {n} of 5" for n in range(1, 6)}
    tab.page.wait_for_function("lifeline.status.getSnapshot().attempt === 3")
    tab.picture("reconnecting")
    stage.engine.start()
    tab.wait("connected")
    tab.wait_blender("connected")
    assert (blender.exit_code(), launched(stage), tab.notes()) == (None, [], NOTES)


def test_within_the_countdown_blender_is_rejoined(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(cleanup_timeout=20)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    stage.engine.kill()
    tab.wait("unreachable")
    wait_unreachable(blender)
    stage.engine.start()
    tab.wait("connected")
    # In a hurry: there would be two Blenders, one of which would save over the other's work.
    tab.page.evaluate("lifeline.launch()")
    tab.wait_blender("connected")
    stage.wait_connected(blender)
    assert (blender.exit_code(), launched(stage), tab.notes()) == (None, [], NOTES)
    assert tab.status()["endsAt"] is None


def test_past_the_countdown_both_end_and_blender_comes_back_with_the_edit(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage(cleanup_timeout=6)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    tab.picture("connected")
    edit(blender)
    stage.engine.kill()
    tab.wait("unreachable")
    assert tab.title().startswith("Blender will save and close in 0:0")
    tab.page.wait_for_function("document.getElementById('urgent').textContent !== ''")
    tab.wait("closed")
    tab.page.wait_for_function("document.getElementById('urgent').textContent === ''")
    stage.assert_closed(blender)
    assert tab.notes() == ""
    assert "Server unavailable." in tab.text()
    assert "Blender should have saved your work and closed." in tab.text()
    assert "Your work was saved by Blender" not in tab.text()
    tab.picture("closed")
    assert saved_location(stage.file) == EDIT
    stage.engine.start()
    tab.wait("connected")
    assert tab.title() == "Relaunching Blender with job.blend"
    tab.picture("relaunching")
    again = relaunched(stage, tab)
    assert again.pid != blender.pid
    assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(EDIT)
    tab.page.wait_for_selector("#saves li")
    assert f"Saved in its place: {stage.file}" in tab.page.inner_text("#saves")
    assert "Your work was saved by Blender in the last outage." in tab.text()
    tab.picture("report")


def test_an_engine_without_our_events_is_lost_and_found_too(
    make_stage: MakeStage, open_tab: OpenTab
) -> None:
    stage = make_stage(plain=True)
    # Nobody tells the page what the Blenders go by.
    settings = {**COMPRESSED, "warn_before": [COMPRESSED["warn_before"]]}
    tab = open_tab(stage, settings=json.dumps(settings))
    blender = at_work(stage, tab)
    edit(blender)
    stage.engine.kill()
    tab.wait("unreachable")
    assert abs(tab.deadline() - wait_countdown(blender)) < 1
    tab.wait("closed")
    stage.assert_closed(blender)
    assert "Blender should have saved your work and closed." in tab.text()
    assert "told here" not in tab.text()
    stage.engine.start()
    tab.wait("connected")
    again = relaunched(stage, tab)
    assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(EDIT)
    assert (tab.status()["extended"], tab.status()["report"]) == (False, None)


def test_the_deadlines_are_the_same(make_stage: MakeStage, open_tab: OpenTab) -> None:
    # Each attempt is moved by up to two seconds: by other bits in Blender and in the page the
    # deadlines would be three seconds apart, more often than not.
    stage = make_stage(
        retry_delay=2, retry_delay_max=2, retry_jitter=2, cleanup_timeout=30, quit_floor=1
    )
    apart = []
    for username in ("ann", "bob"):
        tab = open_tab(stage, username)
        tab.wait("connected")
        blender = stage.launch(stage.new_file(username), username)
        stage.engine.kill()
        tab.wait("unreachable")
        theirs = wait_countdown(blender)
        apart.append(tab.deadline() - theirs)
        stage.engine.start()
        stage.wait_connected(blender, username)
    print("apart, in seconds:", apart)
    assert all(abs(one) < 1 for one in apart), apart


def test_a_frozen_server_is_lost_by_both(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(connect_timeout=0.5, cleanup_timeout=30)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    stage.engine.freeze()
    tab.wait("unreachable")
    assert tab.status()["why"] == "ping-timeout"
    apart = tab.deadline() - wait_countdown(blender)
    print("apart, in seconds:", apart)
    # Each hears of it when its own next ping does not come: at most a ping's interval apart.
    assert abs(apart) < 2
    stage.engine.thaw()
    tab.wait("connected")


def test_a_disconnect_by_hand_starts_no_countdown(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage()
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    tab.press("disconnect")
    assert tab.focused() == "title"
    stage.engine.kill()
    stage.assert_closed(blender)
    assert (tab.state(), tab.notes(), tab.title()) == ("idle", NOTES, "Not connected")
    stage.engine.start()
    assert launched(stage) == []
    tab.press("connect")
    tab.wait("connected")


def test_a_reload_in_mid_outage_goes_on(
    make_stage: MakeStage, open_tab: OpenTab, site: str
) -> None:
    stage = make_stage(apart=True, cleanup_timeout=30)
    tab = open_tab(stage, site=site)
    blender = at_work(stage, tab)
    stage.engine.kill()
    tab.wait("unreachable")
    before = tab.deadline()
    tab.page.reload()
    tab.wait("unreachable")
    assert abs(tab.deadline() - before) < 0.5
    assert abs(tab.deadline() - wait_countdown(blender)) < 1
    stage.engine.start()
    tab.wait("connected")
    tab.wait_blender("connected")
    assert (blender.exit_code(), launched(stage)) == (None, [])


def test_a_reload_after_the_end_brings_blender_back(
    make_stage: MakeStage, open_tab: OpenTab, site: str
) -> None:
    stage = make_stage(apart=True, cleanup_timeout=1)
    tab = open_tab(stage, site=site)
    blender = at_work(stage, tab)
    stage.engine.kill()
    tab.wait("closed")
    stage.assert_closed(blender)
    # The session has ended once, and does not end again: what is written now stays.
    tab.write_notes()
    tab.page.reload()
    tab.wait("closed")
    assert tab.notes() == NOTES
    stage.engine.start()
    assert relaunched(stage, tab).pid != blender.pid


def test_two_tabs_agree_and_ask_for_one_blender(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(cleanup_timeout=12)
    tabs = [open_tab(stage), open_tab(stage)]
    for tab in tabs:
        tab.wait("connected")
    blender = at_work(stage, tabs[0])
    stage.engine.kill()
    for tab in tabs:
        tab.wait("unreachable")

    # By the computer's clock, in milliseconds: both are on the same.
    def apart() -> float:
        one, other = (float(tab.status()["endsAt"]) for tab in tabs)
        return abs(one - other)

    wait_until("the tabs agree", lambda: apart() < 200, 30)
    for tab in tabs:
        tab.wait("closed")
    stage.assert_closed(blender)
    stage.engine.start()
    relaunched(stage, tabs[0])
    tabs[1].wait_blender("connected", LAUNCH_SECONDS)
    assert len(launched(stage)) == 1


@pytest.mark.parametrize("program", ["chromium"], indirect=True)
def test_a_tab_that_was_held_up_shows_blenders_deadline(
    make_stage: MakeStage, open_tab: OpenTab, browser: BrowserContext
) -> None:
    stage = make_stage(retry_delay=1, retry_delay_max=1, cleanup_timeout=30)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    stage.engine.kill()
    tab.wait("reconnecting")
    debugger = browser.new_cdp_session(tab.page)
    debugger.send("Debugger.enable")
    # As in the background: no timer of the page runs, while Blender makes its attempts.
    debugger.send("Debugger.pause")
    theirs = wait_countdown(blender)
    debugger.send("Debugger.resume")
    tab.wait("unreachable")
    assert abs(tab.deadline() - theirs) < 1
    stage.engine.start()
    tab.wait("connected")


def _policy(blender: Blender) -> dict[str, object]:
    policy = status(blender)["policy"]
    assert isinstance(policy, dict)
    return policy


def test_the_policy_is_swapped_on_both_sides(make_stage: MakeStage, open_tab: OpenTab) -> None:
    stage = make_stage(policy=str(policy_file("patient")), cleanup_timeout=5)
    tab = open_tab(stage)
    blender = at_work(stage, tab)
    tab.page.wait_for_function("lifeline.status.getSnapshot().policy?.name === 'patient'")
    theirs_too = tab.status()["policy"]["sha256"]
    blender.wait_alive("the same policy", lambda: _policy(blender)["sha256"] == theirs_too, 30)
    stage.engine.kill()
    tab.wait("unreachable", 60)
    theirs = wait_countdown(blender)
    assert abs(tab.deadline() - theirs) < 1
    stage.engine.start()
    tab.wait("connected")
