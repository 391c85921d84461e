"""Starting the line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cr8_lifeline import Lifeline, SettingsError

from tests.python import traces
from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder
from tests.python.server import Server


def test_without_a_server_there_is_nothing_to_connect_to() -> None:
    line = Lifeline(environ={})
    with pytest.raises(SettingsError, match=r"WS_URL.*server_url"):
        line.connect()
    assert traces.threads() == []


def test_before_connect_nothing_happens(make_line: MakeLine, nowhere: str) -> None:
    line = make_line(nowhere).line
    assert line.poll() == []
    assert traces.threads() == []
    assert not line.closed


def test_connected_is_no_recovery(connected: Recorder) -> None:
    connected.keep_polling(0.2)
    assert connected.kinds() == ["connected"]
    assert connected.line.poll() == []


def test_later_calls_do_nothing(connected: Recorder, server: Server, username: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for call in [pool.submit(connected.line.connect) for _ in range(8)]:
            call.result()
    connected.keep_polling(0.3)
    assert connected.kinds() == ["connected"]
    assert server.history(username) == [("connected", None)]
    assert traces.threads().count("lifeline") == 1


def test_the_server_learns_what_is_open(make_line: MakeLine, server: Server, username: str) -> None:
    recorder = make_line(server.url, username=username, token=server.token)
    recorder.line.scene(modified=True, untitled=False, rendering=False, path="/home/ann/ü.blend")
    recorder.line.connect()
    recorder.until("connected")
    (blender,) = [one for one in server.status()["blenders"] if one["username"] == username]
    assert blender["blend_file_path"] == "/home/ann/ü.blend"


def test_a_request_before_connect_is_no_failure(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere)
    recorder.line.hold()
    recorder.line.connect()
    recorder.until("lost")
    assert "error" not in [getattr(event, "level", None) for event in recorder.events]
    assert recorder.line.status()["policy"]["failures"] == 0
