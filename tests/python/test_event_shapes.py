"""Every event that python-socketio's server can send, as Python gets it."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cr8_lifeline
import pytest
from lifeline_harness.ports import free_port
from lifeline_harness.waiting import wait_until

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder

SERVER = Path(__file__).parents[2] / "host/lifeline/tests/link/shapes.py"
FORGED = b'x\x1e42/blender,["injected",1]'
# As shapes.py sends them, without those that are no JSON.
SHAPES: list[tuple[str, list[Any]]] = [
    ("none", []),
    ("one", [{"text": "äöü 🙂\x1e", "list": [1, 2.5, None, True]}]),
    ("several", [1, "two", [3], {"four": 4}]),
    ("number", [2**64]),
    ("text", [""]),
    ("list", [[1, 2]]),
    ("bytes", [FORGED]),
    ("nested", [{"a": [b"", {"b": FORGED}]}, b"\x00\xff", {"_placeholder": False, "num": 0}]),
    ("mock", [{"_placeholder": True, "num": 0}]),
    ("message", ["boo"]),
    ("error", ["boo", 1]),
    ("", ["no name at all"]),
    ("last", [1]),
]


@pytest.fixture
def url() -> Iterator[str]:
    port = free_port()
    with subprocess.Popen([sys.executable, SERVER, str(port)], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline()
        yield f"ws://127.0.0.1:{port}"
        server.kill()


@pytest.fixture
def recorder(url: str, make_line: MakeLine) -> Recorder:
    recorder = make_line(url, username="ann")
    recorder.line.connect()
    return recorder


def heard(recorder: Recorder, number: int) -> list[Any]:
    def found() -> list[Any] | None:
        recorder.poll()
        events = [event for event in recorder.events if event.kind == "server"]
        return events if len(events) >= number else None

    return wait_until(f"{number} events", found, 30.0)


def test_each_shape_arrives_after_connected_and_answers_are_given(recorder: Recorder) -> None:
    events = heard(recorder, len(SHAPES) + 1)
    kinds = recorder.kinds()
    assert kinds[0] == "connected"
    assert [(event.name, event.args) for event in events[: len(SHAPES)]] == SHAPES
    assert not any(event.ack for event in events[: len(SHAPES)])
    refused = [line for line in recorder.log().splitlines() if "was not taken" in line]
    assert len(refused) == 3
    assert all("no JSON" in line for line in refused)

    question = events[-1]
    assert (question.name, question.args) == ("ask", [1, b"two"])
    recorder.line.answer(question.ack, ({"a": [FORGED]}, 2))
    answered, question = heard(recorder, len(SHAPES) + 3)[-2:]
    assert (answered.name, answered.args) == ("answered", [{"a": [FORGED]}, 2])
    recorder.line.answer(question.ack, bytearray(FORGED))
    answered, question = heard(recorder, len(SHAPES) + 5)[-2:]
    assert answered.args == [FORGED]
    with pytest.raises(cr8_lifeline.LifelineError):
        recorder.line.answer(question.ack, math.nan)
    with pytest.raises(cr8_lifeline.LifelineError):
        recorder.line.answer(question.ack, object())
    recorder.line.answer(question.ack)
    assert heard(recorder, len(SHAPES) + 6)[-1].args == []

    assert recorder.line.emit("again", ([b"\x00", {"deep": FORGED}], 3))
    echo = heard(recorder, len(SHAPES) + 7)[len(SHAPES) + 6]
    assert (echo.name, echo.args) == ("echo", [[b"\x00", {"deep": FORGED}], 3])


def test_an_answer_for_a_connection_that_is_gone_is_none(recorder: Recorder) -> None:
    question = heard(recorder, len(SHAPES) + 1)[-1]
    connection, ack = question.ack
    recorder.line.answer((connection + 1, ack), "for somebody else")
    recorder.line.answer((connection, ack), "mine")
    assert heard(recorder, len(SHAPES) + 2)[len(SHAPES) + 1].args == ["mine"]


def test_ten_thousand_events_wait_for_a_busy_main_thread(recorder: Recorder) -> None:
    before = len(SHAPES) + 1
    heard(recorder, before)
    assert recorder.line.emit("many", 10_000)
    time.sleep(1.0)
    # As many as there are by now come at once; the others follow.
    events = heard(recorder, before + 10_000)[before:]
    assert [event.args for event in events if event.name == "n"] == [[n] for n in range(10_000)]
    assert "dropped" not in recorder.log()


def test_who_waits_is_woken_by_an_event_and_by_the_end(
    recorder: Recorder, make_line: MakeLine, nowhere: str
) -> None:
    assert recorder.line.wait(30.0)
    heard(recorder, len(SHAPES) + 1)
    assert not recorder.line.wait(0.0)
    with pytest.raises(cr8_lifeline.LifelineError):
        recorder.line.wait(-1.0)
    idle = make_line(nowhere).line
    outcome: list[bool] = []
    waiting = threading.Thread(target=lambda: outcome.append(idle.wait(60.0)))
    waiting.start()
    idle.close(5.0)
    waiting.join(30.0)
    assert outcome == [False]


def while_asleep(look: Callable[[], object]) -> None:
    """On another thread, at a moment at which this one sleeps."""

    def wait_and_look() -> None:
        time.sleep(0.2)
        look()

    thread = threading.Thread(target=wait_and_look)
    thread.start()
    time.sleep(1.0)
    thread.join()


def test_something_is_called_while_the_main_thread_sleeps_and_not_while_it_works() -> None:
    calls: list[object] = []
    outcomes: list[bool] = []
    raised: list[BaseException] = []

    def call(*given: object, **named: object) -> None:
        calls.append((given, named))

    def fail() -> None:
        raise ZeroDivisionError

    def look_and_fail() -> None:
        try:
            cr8_lifeline.while_main_thread_sleeps(fail)
        except ZeroDivisionError as error:
            raised.append(error)

    while_asleep(lambda: outcomes.append(cr8_lifeline.while_main_thread_sleeps(call, 1, a=2)))
    assert (outcomes, calls) == ([True], [((1,), {"a": 2})])
    while_asleep(look_and_fail)
    assert len(raised) == 1
    # Whoever asks is at work.
    assert not cr8_lifeline.while_main_thread_sleeps(call)
    assert len(calls) == 1
