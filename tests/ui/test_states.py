"""What is on the screen in each state. The pictures are kept, for people to look at."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.picture import Picture
from lifeline_harness.pointer import Pointer

from tests.blender.conftest import MakeStage
from tests.blender.observe import wait_phase, wait_unreachable
from tests.blender.stage import EDIT, Stage, edit, saved_location
from tests.ui.window import (
    BAR,
    OVERLAY,
    SIDEBAR,
    STATUS_BAR,
    alert,
    amber,
    draws,
    open_panel,
    wait_picture,
)

STATUS_BAR_LINE = "from cr8_router.lifeline.ui import status_bar; result = status_bar.line"
# How often a view layer is set while 3D views are shaded like this.
RENDERED = """
from unittest import mock
from cr8_router.lifeline import redraw
shaded = mock.Mock(type="VIEW_3D")
shaded.spaces.active.shading.type = {shading!r}
choices = []
class Window:
    screen = mock.Mock(areas=[shaded])
    view_layer = property(lambda self: None, lambda self, layer: choices.append(layer))
fake = mock.Mock()
fake.context.window_manager.windows = [Window()]
with mock.patch.object(redraw, "bpy", fake):
    redraw.redraw_status_bars()
result = len(choices)
"""
PICTURES = "LIFELINE_PICTURES"
# Letters of a line, at least.
SOME = 60
BAR_HEIGHT = 4
SETTLED_SECONDS = 1.0


@pytest.fixture
def keep(tmp_path: Path) -> Path:
    """Where pictures go: the folder that is named, else the test's own."""
    folder = Path(os.environ.get(PICTURES) or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(display: Display, folder: Path, name: str) -> None:
    """What is on the screen, once panels that unfold have done so."""
    time.sleep(SETTLED_SECONDS)
    display.screenshot(folder / f"{name}.png")


def quiet(picture: Picture) -> bool:
    """Nothing but the panel says anything."""
    return (
        picture.count(OVERLAY, amber) == 0
        and picture.count(STATUS_BAR, alert) == 0
        and picture.count(SIDEBAR, alert) == 0
    )


def alarmed(picture: Picture) -> bool:
    """Overlay, status bar and panel say that something is wrong."""
    return (
        picture.count(OVERLAY, amber) > SOME
        and picture.count(STATUS_BAR, alert) > SOME
        and picture.count(SIDEBAR, alert) > SOME
    )


def bar(picture: Picture) -> int:
    """How long the overlay's bar is, in pixels."""
    return picture.count(BAR, amber) // BAR_HEIGHT


def begin(make_stage: MakeStage, pointer: Pointer, **settings: float) -> tuple[Stage, Blender]:
    stage = make_stage(**settings)
    blender = stage.launch(stage.file)
    open_panel(blender, pointer)
    return stage, blender


def test_from_connected_to_held_and_back(
    make_stage: MakeStage, display: Display, pointer: Pointer, keep: Path
) -> None:
    """Connected, reconnecting, countdown with its bar, held, connected again."""
    stage, blender = begin(
        make_stage, pointer, retry_delay=3, retry_delay_max=3, cleanup_timeout=60, warn_before=1
    )
    wait_picture(display, "a quiet screen", quiet)
    save(display, keep, "connected")

    stage.engine.kill()
    wait_phase(blender, "reconnecting")
    seen = wait_picture(display, "the alarm", alarmed)
    assert bar(seen) == 0
    save(display, keep, "reconnecting")

    wait_unreachable(blender)
    first = wait_picture(display, "the bar", lambda it: alarmed(it) and bar(it) > SOME)
    save(display, keep, "countdown")
    pointer.press("Escape")  # the pop-up
    wait_picture(display, "a shorter bar", lambda it: SOME < bar(it) < bar(first) - 5)

    blender.run("bpy.ops.cr8.keep_open()")
    wait_phase(blender, "held")
    wait_picture(display, "no bar", lambda it: alarmed(it) and bar(it) == 0)
    save(display, keep, "held")

    stage.engine.start()
    wait_phase(blender, "connected")
    wait_picture(display, "a quiet screen again", quiet)
    save(display, keep, "after")
    told = blender.run(
        "import cr8_router\n"
        "from cr8_router.lifeline.ui import last_outage\n"
        "result = last_outage.sentences(cr8_router.handler().status())"
    )
    assert told[1].startswith("The server was away for ")
    assert told[2] == "Nothing had to be saved."


def test_the_panel_is_drawn_again_only_when_it_changes(
    make_stage: MakeStage, display: Display, pointer: Pointer
) -> None:
    _stage, blender = begin(make_stage, pointer)
    wait_picture(display, "a quiet screen", quiet)
    before = draws(blender)
    # Ten looks of the add-on, in which nothing changes.
    looks = "import cr8_router; session = cr8_router.lifeline.session._session\n"
    blender.run(looks + "for _ in range(10): session._look([])")
    blender.run("pass")
    assert draws(blender) == before
    # The same with a change.
    blender.run(
        looks
        + "from cr8_router.lifeline import ui; ui._shown = ('something else',); session._look([])"
    )
    wait_picture(display, "the panel again", lambda _picture: draws(blender) > before)


def test_the_status_bar_says_a_time_and_leaves_what_is_rendered_alone(
    make_stage: MakeStage,
) -> None:
    """To draw it again stops each 3D view's render: not each second, and not where one runs."""
    stage = make_stage(cleanup_timeout=120, warn_before=1)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    wait_unreachable(blender)
    said = set()
    for _look in range(6):
        time.sleep(0.5)
        said.add(str(blender.run(STATUS_BAR_LINE)))
    assert len(said) == 1
    assert re.fullmatch(
        r"Server unavailable — Blender will save and close at \d\d:\d\d", said.pop()
    )
    assert blender.run(RENDERED.format(shading="RENDERED")) == 0
    assert blender.run(RENDERED.format(shading="SOLID")) == 1


def test_relaunched_it_tells_what_was_saved_where(
    make_stage: MakeStage, display: Display, pointer: Pointer, keep: Path
) -> None:
    """The Blender after the outage knows what became of the one before."""
    stage = make_stage(cleanup_timeout=1)
    first = stage.launch(stage.file)
    edit(first)
    stage.engine.kill()
    stage.assert_closed(first)
    assert saved_location(stage.file) == EDIT
    stage.engine.start()
    second = stage.launch(stage.file)
    open_panel(second, pointer)
    second.wait_alive(
        "the last outage",
        lambda: second.run(
            "import cr8_router; result = cr8_router.handler().status()['last_outage'] is not None"
        ),
        10,
    )
    told = second.run(
        "import cr8_router\n"
        "from cr8_router.lifeline.ui import last_outage\n"
        "result = last_outage.sentences(cr8_router.handler().status())"
    )
    assert told[1:] == ["The server was lost, and Blender closed.", "Saved:", str(stage.file)]
    wait_picture(display, "a quiet screen", quiet)
    save(display, keep, "relaunched")
