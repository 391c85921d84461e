"""What a person can ask for: hold, extend, release, close now."""

from __future__ import annotations

import math
from typing import Any

import pytest
from cr8_lifeline import LifelineError

from tests.python.conftest import MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of


@pytest.fixture
def counting_down(make_line: MakeLine, nowhere: str) -> Recorder:
    recorder = make_line(nowhere)
    recorder.line.connect()
    recorder.until("countdown")
    return recorder


def test_hold_and_release(counting_down: Recorder) -> None:
    line = counting_down.line
    line.hold()
    counting_down.until("held")
    status = line.status()
    assert (status["phase"], status["remaining"]) == ("held", None)
    counting_down.keep_polling(0.6)
    assert "save" not in counting_down.kinds()
    line.release()
    assert counting_down.until("countdown").seconds == 0.4
    counting_down.until("save")


def test_hold_withdraws_a_save_that_waits(counting_down: Recorder) -> None:
    save = ticket_of(counting_down.until("save"))
    counting_down.line.hold()
    counting_down.until("held")
    assert not counting_down.line.claim(save)


def test_attempts_go_on_while_held(counting_down: Recorder) -> None:
    counting_down.line.hold()
    counting_down.until("held")
    before = counting_down.line.status()["attempt"]
    counting_down.keep_polling(0.4)
    assert counting_down.line.status()["attempt"] > before


def test_extend_moves_the_deadline(counting_down: Recorder) -> None:
    counting_down.line.extend(60)
    counting_down.keep_polling(0.6)  # the old deadline passes
    remaining = counting_down.line.status()["remaining"]
    assert remaining is not None
    assert 0 < remaining < 60.4
    assert "save" not in counting_down.kinds()


def test_extend_before_the_countdown_counts(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, retry_attempts=1, retry_delay=0.3, retry_delay_max=0.3)
    recorder.line.connect()
    recorder.until("lost")
    recorder.line.extend(40)
    assert recorder.until("countdown").seconds == 40.4


def test_extend_by_nonsense(counting_down: Recorder) -> None:
    for seconds in (0, -1, -0.0, math.nan, math.inf, -math.inf):
        with pytest.raises(LifelineError, match="expected seconds above 0"):
            counting_down.line.extend(seconds)
    counting_down.until("save")


@pytest.mark.parametrize("seconds", ["x", None, "5"])
def test_extend_by_no_number(make_line: MakeLine, nowhere: str, seconds: Any) -> None:
    with pytest.raises(TypeError):
        make_line(nowhere).line.extend(seconds)


def test_extend_for_ages_does_no_harm(counting_down: Recorder) -> None:
    counting_down.line.extend(1e15)
    counting_down.keep_polling(0.6)
    assert counting_down.line.status()["phase"] == "counting-down"
    counting_down.line.close_now()
    counting_down.until("save")


def test_close_now_saves_without_waiting(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=300, retry_delay=60, retry_delay_max=60)
    recorder.line.connect()
    recorder.until("lost")
    recorder.line.close_now()
    save = ticket_of(recorder.until("save", 1.0))
    assert recorder.line.claim(save)
    recorder.line.saved(save, SAVED)
    recorder.until("quit", 30.0)
    assert "countdown" not in recorder.kinds()


def test_close_now_means_nothing_while_connected(connected: Recorder) -> None:
    connected.line.close_now()
    connected.line.hold()
    connected.keep_polling(0.3)
    assert connected.kinds() == ["connected"]
    assert connected.line.status()["phase"] == "connected"
    assert "there is no countdown to change" in connected.log()
