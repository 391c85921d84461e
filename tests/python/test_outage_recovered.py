"""The server is back in time: nothing is saved, nothing closes."""

from __future__ import annotations

import time

import pytest

from tests.python.conftest import COMPRESSED, MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server

# Long enough for a server to start.
COUNTDOWN = 2.5
# More than three of the longest pauses between attempts: such a connection has ended the outage.
LASTING = 0.3


@pytest.fixture
def shut_out(connected: Recorder, server: Server, username: str) -> Recorder:
    """A line whose server has said goodbye, and refuses it."""
    server.shut_out(username)
    assert connected.until("lost").reason == "server-disconnect"
    return connected


def test_back_in_the_middle_of_the_countdown(shut_out: Recorder, server: Server) -> None:
    recorder = shut_out
    recorder.until("countdown")
    server.refuse(False)
    recovered = recorder.until("recovered")
    assert recovered.seconds is not None
    assert 0 < recovered.seconds < 10
    status = recorder.line.status()
    assert (status["phase"], status["outages"], status["recoveries"]) == ("connected", 1, 1)
    assert (status["remaining"], status["lost_for"], status["reason"]) == (None, None, None)
    # The deadline passes, and more.
    recorder.keep_polling(0.6)
    kinds = [kind for kind in recorder.kinds() if kind != "warn"]  # by then or not
    assert kinds == ["connected", "lost", "countdown", "connected", "recovered"]


def test_back_after_it_was_killed(make_line: MakeLine, own_server: Server, username: str) -> None:
    timing = {"cleanup_timeout": COUNTDOWN, "warn_before": []}
    recorder = make_line(own_server.url, username=username, token=own_server.token, **timing)
    recorder.line.connect()
    recorder.until("connected")
    own_server.kill()
    recorder.until("countdown")
    deadline = time.monotonic() + COUNTDOWN
    own_server.start()
    recorder.until("recovered")
    recorder.keep_polling(deadline + 0.3 - time.monotonic())
    assert recorder.kinds() == ["connected", "lost", "countdown", "connected", "recovered"]


def test_a_copy_is_made_early_and_then_not_needed(
    make_line: MakeLine, own_server: Server, username: str
) -> None:
    timing = {"cleanup_timeout": 60, "warn_before": [], "early_copy": True}
    recorder = make_line(own_server.url, username=username, token=own_server.token, **timing)
    recorder.line.connect()
    recorder.until("connected")
    own_server.kill()
    recorder.until("countdown")
    assert recorder.until("early-copy").needed is True
    recorder.line.copied_early("/work.blend")
    own_server.start()
    assert recorder.until("early-copy").needed is False
    assert recorder.kinds().count("early-copy") == 2


def test_a_save_that_waits_is_withdrawn(shut_out: Recorder, server: Server) -> None:
    save = ticket_of(shut_out.until("save"))
    server.refuse(False)
    shut_out.until("recovered")
    assert not shut_out.line.claim(save)
    assert "nothing is saved, and Blender stays open" in shut_out.log()


def test_a_save_that_runs_does_not_end_in_a_quit(shut_out: Recorder, server: Server) -> None:
    line = shut_out.line
    save = ticket_of(shut_out.until("save"))
    assert line.claim(save)
    server.refuse(False)
    shut_out.until("recovered")
    line.saved(save, SAVED)
    shut_out.keep_polling(0.3)
    assert "quit" not in shut_out.kinds()
    assert line.status()["phase"] == "connected"


def test_a_quit_that_waits_is_withdrawn(shut_out: Recorder, server: Server) -> None:
    line = shut_out.line
    save = ticket_of(shut_out.until("save"))
    assert line.claim(save)
    line.saved(save, SAVED)
    close = ticket_of(shut_out.until("quit"))
    server.refuse(False)
    shut_out.until("recovered")
    assert not line.claim(close)


def test_each_loss_is_an_outage_of_its_own(
    shut_out: Recorder, server: Server, username: str
) -> None:
    for _ in range(2):
        shut_out.until("countdown")
        server.refuse(False)
        shut_out.until("recovered")
        shut_out.keep_polling(LASTING)
        server.shut_out(username)
        shut_out.until("lost")
    countdown = shut_out.until("countdown")
    assert countdown.seconds == COMPRESSED["cleanup_timeout"]
    assert shut_out.kinds().count("lost") == 3
    status = shut_out.line.status()
    assert (status["outages"], status["recoveries"]) == (3, 2)
