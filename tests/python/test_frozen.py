"""A server that is there and does nothing, with the pings of the real engine."""

from __future__ import annotations

from tests.python.conftest import MakeLine
from tests.python.server import Server

# What it takes at most, and some for a busy machine.
FOUND_SECONDS = 30.0


def test_it_is_lost_and_told_by_its_name_and_back_when_it_thaws(
    make_line: MakeLine, patient: Server, username: str
) -> None:
    recorder = make_line(patient.url, username=username, token=patient.token, probe_silence=0.2)
    recorder.line.connect()
    recorder.until("connected")
    patient.freeze()
    assert recorder.until("lost", FOUND_SECONDS).reason == "frozen"
    status = recorder.line.status()
    assert (status["reason"], status["connected"]) == ("frozen", False)
    recorder.until("log")
    assert "frozen" in recorder.log()
    patient.thaw()
    recorder.until("recovered", FOUND_SECONDS)


def test_with_the_asking_switched_off_it_is_left_to_the_pings(
    make_line: MakeLine, patient: Server, username: str
) -> None:
    """Twice as long as the other test takes: the pings' time is minutes."""
    recorder = make_line(patient.url, username=username, token=patient.token, probe_silence=0)
    recorder.line.connect()
    recorder.until("connected")
    patient.freeze()
    recorder.keep_polling(14.0)
    assert "lost" not in recorder.kinds()
