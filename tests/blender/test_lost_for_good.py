"""The server does not come back: the work is saved, Blender closes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display

from tests.blender.conftest import MakeStage
from tests.blender.observe import (
    LINE_SECONDS,
    UNREACHABLE,
    assert_said,
    count,
    wait_lost,
    wait_unreachable,
)
from tests.blender.stage import CLOSE_SECONDS, EDIT, Stage, edit, saved_location, staged


class Killed(NamedTuple):
    """The original's main story, played once for several tests."""

    stage: Stage
    blender: Blender
    exit_code: int


@pytest.fixture(scope="module")
def killed(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Killed]:
    with staged(tmp_path_factory.mktemp("killed"), display, template) as stage:
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        yield Killed(stage, blender, blender.wait_exit(stage.outage + CLOSE_SECONDS))


def test_killed_blender_closes_with_exit_code_0(killed: Killed) -> None:
    assert killed.exit_code == 0
    killed.stage.assert_closed(killed.blender)


def test_killed_the_log_is_the_originals(killed: Killed) -> None:
    assert_said(
        killed.blender,
        "[WARNING] Server unreachable after 5 connection attempts. Blender will save and "
        "close in 4 seconds if server does not reconnect.",
        "[INFO] 4-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {killed.stage.file}",
        "[INFO] Closing Blender instance",
    )


def test_killed_the_countdown_is_not_cut_short(killed: Killed) -> None:
    begun = killed.blender.wait_for_line("cleanup timer started", 1)
    performed = killed.blender.wait_for_line("Performing server cleanup", 1)
    # The add-on hears of the beginning a little late; how much depends on the machine.
    assert performed.at - begun.at > killed.stage.cleanup_timeout / 2


def test_killed_the_edit_is_in_the_file(killed: Killed) -> None:
    assert saved_location(killed.stage.file) == EDIT


def test_killed_the_relaunched_blender_has_the_edit(killed: Killed) -> None:
    stage = killed.stage
    stage.engine.restart()
    again = stage.launch(stage.file)
    assert again.pid != killed.blender.pid
    assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(EDIT)
    one = stage.engine.blender("ann")
    assert one is not None
    assert one["blend_file_path"] == str(stage.file)


def test_stopped(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.stop()
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_frozen(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2, connect_timeout=0.5)
    blender = stage.launch(stage.file)
    edit(blender)
    frozen_at = time.monotonic()
    stage.engine.freeze()
    wait_lost(blender, since=frozen_at)
    assert_said(blender, "[WARNING] Server stopped answering. Trying to connect.")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_the_server_refuses_the_token(make_stage: MakeStage) -> None:
    stage = make_stage()
    wrong = "a-token-that-was-valid-yesterday"
    stage.secrets.append(wrong)
    line = stage.engine.line("ann") | {"CR8_AUTH_TOKEN": wrong}
    blender = stage.start(stage.file, line)
    edit(blender)
    blender.wait_for_line(
        r"^\[WARNING\] The server refuses this Blender after 5 connection attempts: .*wrong token",
        LINE_SECONDS,
    )
    assert count(blender, UNREACHABLE) == 0
    blender.wait_for_line("the server refuses this Blender: .*wrong token", 1)
    assert stage.engine.status()["connects"] == 0
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_the_server_was_never_there(make_stage: MakeStage) -> None:
    stage = make_stage()
    stage.engine.kill()
    blender = stage.start(stage.file, stage.engine.line("ann"))
    edit(blender)
    wait_unreachable(blender)
    assert_said(blender, "[WARNING] Server not reached yet. Trying to connect.")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_a_living_server_wants_this_blender_no_more(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.refuse()
    stage.engine.disconnect("ann")
    wait_lost(blender)
    assert_said(blender, "[WARNING] Server has disconnected this Blender. Trying to connect.")
    stage.assert_closed(blender)
    assert stage.engine.status()["refused"] >= 5
    assert saved_location(stage.file) == EDIT


def test_blender_does_nothing_else_between_the_save_and_its_end(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    blender.run(
        "import cr8_router\n"
        "session = cr8_router.lifeline.session._session\n"
        "look = session._look\n"
        "session._look = lambda events: (print('LOOK', flush=True), look(events))[1]\n"
    )
    stage.engine.kill()
    stage.assert_closed(blender)
    said = [line.text for line in blender.lines.all()]
    (saved,) = (number for number, text in enumerate(said) if "Saved in" in text)
    (closing,) = (number for number, text in enumerate(said) if "Closing Blender" in text)
    assert "LOOK" in said[:saved]
    assert "LOOK" not in said[saved:closing]


def test_the_last_look_of_a_countdown_is_at_its_end(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=60)
    blender = stage.launch(stage.file)
    stage.engine.kill()
    wait_unreachable(blender)
    pauses = blender.run(
        "import cr8_router\n"
        "session = cr8_router.lifeline.session._session\n"
        "status, pauses = session.connection.status, []\n"
        "for left in (50.0, 0.1, 0.0):\n"
        "    session.connection.status = lambda: {**status(), 'remaining': left}\n"
        "    pauses.append(session._look([]))\n"
        "session._due_since -= 1.1  # it waits for a render\n"
        "pauses.append(session._look([]))\n"
        "session.connection.status = status\n"
        "result = pauses"
    )
    assert pauses == [0.25, 0.1, 0.02, 0.25]
