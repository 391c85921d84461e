"""What a person can see and do."""

from __future__ import annotations

from tests.browser.conftest import MakeStage, OpenTab

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
    tab.picture("unreachable")
    tab.page.emulate_media(color_scheme="dark")
    tab.picture("unreachable-dark")


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
