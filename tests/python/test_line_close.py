"""The end of a line: no thread, no socket, nothing half done."""

from __future__ import annotations

import ctypes
import gc
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from cr8_lifeline import ClosedError, Lifeline, LifelineError
from lifeline_harness.waiting import wait_until

from tests.python import traces
from tests.python.conftest import COMPRESSED, MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server

BIG = "x" * 8_000_000


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


def test_close_ends_it(connected: Recorder) -> None:
    line = connected.line
    assert not line.closed
    assert line.close() is True
    assert line.closed
    assert traces.threads() == []
    status = line.status()
    assert (status["phase"], status["connected"]) == ("closed", False)


def test_later_calls_do_nothing(connected: Recorder) -> None:
    line = connected.line
    line.close()
    line.poll()
    assert line.close() is True
    line.hold()
    line.release()
    line.close_now()
    line.extend(5)
    line.scene(modified=False, untitled=False, rendering=False, path="")
    line.saved(1, SAVED)
    line.swap_policy(b"junk")
    assert line.emit("hello") is False
    assert line.claim(1) is False
    assert line.poll() == []
    with pytest.raises(ClosedError):
        line.connect()
    assert traces.threads() == []


def test_close_without_connect(nowhere: str) -> None:
    line = Lifeline({"server_url": nowhere}, environ={})
    assert line.close(0) is True
    assert line.closed
    with pytest.raises(ClosedError):
        line.connect()


@pytest.fixture
def sockets_before(make_line: MakeLine, nowhere: str) -> set[str]:
    """With the two that a process's first line makes for signals, and that stay."""
    line = make_line(nowhere).line
    line.connect()
    assert line.close(30.0)
    return traces.sockets()


def test_no_socket_is_left(server: Server, username: str, sockets_before: set[str]) -> None:
    settings = {**COMPRESSED, "server_url": server.url, "username": username}
    recorder = Recorder(Lifeline({**settings, "token": server.token}, environ={}))
    recorder.line.connect()
    recorder.until("connected")
    assert len(traces.sockets() - sockets_before) == 1
    assert recorder.line.close(30.0)
    wait_until("the end of every socket", lambda: traces.sockets() <= sockets_before, 30.0)


def test_it_says_goodbye(connected: Recorder, server: Server, username: str) -> None:
    connected.line.close()

    def told() -> bool:
        return ("disconnected", "client disconnect") in server.history(username)

    wait_until("the goodbye at the server", told, 30.0)


def test_in_the_middle_of_an_attempt(silent: str, make_line: MakeLine) -> None:
    line = make_line(silent, connect_timeout=60).line
    line.connect()
    wait_until("an attempt", lambda: any("link" in name for name in traces.threads()), 30.0)
    time.sleep(0.1)  # well into it
    begun = time.monotonic()
    assert line.close(30.0)
    assert time.monotonic() - begun < 30, "the attempt was waited for"
    assert traces.threads() == []


def test_in_the_middle_of_the_countdown(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere)
    recorder.line.connect()
    recorder.until("countdown")
    assert recorder.line.close(30.0)
    recorder.keep_polling(0.6)
    assert set(recorder.kinds()).isdisjoint({"save", "quit"})


def test_what_waits_to_be_claimed_is_withdrawn(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=0.1)
    recorder.line.connect()
    save = ticket_of(recorder.until("save"))
    recorder.line.close()
    assert not recorder.line.claim(save)


@pytest.fixture
def stuck(connected: Recorder, server: Server) -> Iterator[Recorder]:
    """A line with a large message on its way to a server that has stopped."""
    server.freeze()
    try:
        connected.line.emit("big", BIG)
        connected.keep_polling(0.2)
        yield connected
    finally:
        server.thaw()


def test_a_server_that_takes_nothing_does_not_hold_it_up(stuck: Recorder) -> None:
    before = traces.sockets()
    assert stuck.line.close(2.0)
    wait_until("the end of every thread", lambda: not traces.threads(), 10.0)
    assert len(before - traces.sockets()) == 1


def test_other_threads_run_in_the_meantime(stuck: Recorder) -> None:
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.wait(0.005):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    begun = time.monotonic()
    stuck.line.close()
    ended = time.monotonic()
    done.set()
    ticker.join()
    assert ended - begun > 0.05, "closed too fast to tell anything"
    assert len([at for at in ticks if begun < at < ended]) >= 3


def test_a_timeout_that_is_too_short(make_line: MakeLine, nowhere: str) -> None:
    line = make_line(nowhere).line
    line.connect()
    line.close(0)
    assert line.closed
    assert line.close() is True


@pytest.mark.parametrize("timeout", [-1, math.nan, math.inf])
def test_a_timeout_that_is_none(make_line: MakeLine, nowhere: str, timeout: float) -> None:
    line = make_line(nowhere).line
    with pytest.raises(LifelineError):
        line.close(timeout)
    assert not line.closed


def test_a_timeout_for_ages(make_line: MakeLine, nowhere: str) -> None:
    line = make_line(nowhere).line
    line.connect()
    assert line.close(1e19) is True


def test_dropped_without_close(server: Server, username: str, sockets_before: set[str]) -> None:
    settings = {**COMPRESSED, "server_url": server.url, "username": username}
    recorder = Recorder(Lifeline({**settings, "token": server.token}, environ={}))
    recorder.line.connect()
    recorder.until("connected")
    assert traces.threads()
    del recorder
    gc.collect()
    wait_until("the end of every thread", lambda: not traces.threads(), 30.0)
    wait_until("the end of every socket", lambda: traces.sockets() <= sockets_before, 30.0)


def test_many_lines_leave_nothing(
    make_line: MakeLine, nowhere: str, sockets_before: set[str]
) -> None:
    for _ in range(10):
        line = make_line(nowhere).line
        line.connect()
        assert line.close(30.0)
    wait_until("the end of every thread", lambda: not traces.threads(), 30.0)
    assert traces.sockets() == sockets_before


def test_python_ends_with_an_open_line(nowhere: str) -> None:
    code = (
        "import sys, time, cr8_lifeline\n"
        "line = cr8_lifeline.Lifeline({'server_url': sys.argv[1]}, environ={})\n"
        "line.connect()\n"
        "end = time.monotonic() + 5\n"
        "while line.status()['phase'] == 'idle' and time.monotonic() < end:\n"
        "    time.sleep(0.01)\n"
        "print(line.status()['phase'])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, nowhere], capture_output=True, text=True, timeout=10
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "reconnecting\n", "")


def test_a_held_interpreter_does_not_hold_up_the_end(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere)
    recorder.line.connect()
    recorder.until("lost")
    recorder.line.close(0)
    ctypes.PyDLL(None).usleep(500_000)  # with the GIL
    assert traces.threads() == []
