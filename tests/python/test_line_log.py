"""Log lines: a sentence for people, and the same for programs."""

from __future__ import annotations

import re
from typing import Any

from cr8_lifeline.events import Log

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder

NAME = re.compile(r"[a-z]+(-[a-z]+)*")


def lines(recorder: Recorder) -> dict[str, tuple[str, dict[str, Any]]]:
    """Message and fields of the first log line of each name."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for event in recorder.events:
        if isinstance(event, Log):
            found.setdefault(event.name, (event.message, event.fields))
    return found


def test_the_lines_of_an_outage(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere)
    recorder.line.connect()
    recorder.until("countdown")
    said = lines(recorder)
    server = f"{nowhere}/ws/socket.io/"
    assert said["connecting"] == (f"Connecting to {server}", {"server": server})
    assert said["attempt"] == ("Reconnecting: attempt 1 of 2", {"attempt": 1, "of": 2})
    message, fields = said["not-connected"]
    assert fields["reason"] == "never-connected"
    assert message == f"Not connected: {fields['detail']}"


def test_each_line_has_a_name_and_only_lines_have_fields(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=600)
    recorder.line.connect()
    recorder.until("countdown")
    recorder.line.swap_policy(b"junk")
    recorder.line.close_now(by="a test")
    recorder.until("save")
    recorder.line.hold(by="a test")
    recorder.until("held")
    assert "clean-up-withdrawn" in lines(recorder)
    for event in recorder.events:
        if isinstance(event, Log):
            assert NAME.fullmatch(event.name), event
            assert isinstance(event.fields, dict)
        else:
            assert not hasattr(event, "fields")
