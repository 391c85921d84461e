"""Events to the server and from it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from cr8_lifeline import Event, LifelineError, events

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder
from tests.python.server import Server

DATA = {"text": "ü \U0001f600 \x1e\0", "list": [1, 2.5, None, True, []], "whole": 2**53 + 1}


def test_emit_arrives(connected: Recorder, server: Server, username: str) -> None:
    assert connected.line.emit("hello", DATA) is True
    assert connected.line.emit("bare") is True
    assert connected.line.emit("text", "only") is True
    arrived = server.wait_for_events(username, 3)
    assert [(one["event"], one["data"]) for one in arrived] == [
        ("hello", [DATA]),
        ("bare", []),
        ("text", ["only"]),
    ]


def test_attachments_arrive_as_bytes(connected: Recorder, server: Server, username: str) -> None:
    data = b'\x1e42/blender,["injected",1]\xff'
    server.emit_bytes(username, "upload", data)
    server.emit(username, "after", {"_placeholder": True})
    upload = connected.until("server")
    assert (upload.name, upload.args) == ("upload", [data])
    after = connected.until("server")
    assert (after.name, after.args) == ("after", [{"_placeholder": True}])


def test_emits_keep_their_order(connected: Recorder, server: Server, username: str) -> None:
    for number in range(200):
        assert connected.line.emit("count", number)
    arrived = server.wait_for_events(username, 200)
    assert [one["data"] for one in arrived] == [[number] for number in range(200)]


def test_emit_without_a_connection_sends_nothing(
    connected: Recorder, make_line: MakeLine, nowhere: str, server: Server, username: str
) -> None:
    assert make_line(nowhere).line.emit("hello", 1) is False  # not even begun
    server.shut_out(username)
    connected.until("lost")
    assert connected.line.emit("hello", 1) is False
    server.refuse(False)
    connected.until("recovered")
    # Nor is it sent later.
    assert connected.line.emit("again") is True
    assert [one["event"] for one in server.wait_for_events(username, 1)] == ["again"]


@pytest.mark.parametrize("name", ["connect", "connect_error", "disconnect"])
def test_reserved_names(make_line: MakeLine, nowhere: str, name: str) -> None:
    with pytest.raises(LifelineError, match=name):
        make_line(nowhere).line.emit(name, {})


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ({1, 2}, TypeError),
        ([object()], TypeError),
        (math.nan, ValueError),
        (math.inf, ValueError),
    ],
)
def test_data_that_is_not_json(
    make_line: MakeLine, nowhere: str, data: object, cause: type[Exception]
) -> None:
    with pytest.raises(LifelineError) as caught:
        make_line(nowhere).line.emit("hello", data)
    assert isinstance(caught.value.__cause__, cause)


def test_data_that_holds_itself(make_line: MakeLine, nowhere: str) -> None:
    data: list[Any] = []
    data.append(data)
    with pytest.raises(LifelineError) as caught:
        make_line(nowhere).line.emit("hello", data)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_number_arrives_as_it_is_or_not_at_all(
    connected: Recorder, server: Server, username: str
) -> None:
    try:
        connected.line.emit("huge", 2**64 + 1)
    except LifelineError:
        return
    (arrived,) = server.wait_for_events(username, 1)
    assert arrived["data"] == [2**64 + 1]


def test_server_events_arrive_decoded(connected: Recorder, server: Server, username: str) -> None:
    server.emit(username, "command", DATA)
    event = connected.until("server")
    assert (event.name, event.args) == ("command", [DATA])
    server.emit(username, "list", [1, [2]])
    event = connected.until("server")
    assert (event.name, event.args) == ("list", [[1, [2]]])


def test_a_server_event_without_data(connected: Recorder, server: Server, username: str) -> None:
    server.emit(username, "refresh")
    event = connected.until("server")
    assert (event.name, event.args) == ("refresh", [])


def test_an_event_has_what_its_kind_has_and_can_be_matched(
    connected: Recorder, server: Server, username: str
) -> None:
    server.emit(username, "command", 1)
    event = connected.until("server")
    others = ["level", "message", "reason", "seconds", "attempts", "ticket", "place"]
    assert not any(hasattr(event, name) for name in others)
    match event:
        case events.ServerEvent(name, [argument]):
            assert (name, argument) == ("command", 1)
        case _:
            pytest.fail(repr(event))
    log = next(event for event in connected.events if isinstance(event, events.Log))
    assert log.level == "info"
    assert log.message.startswith("Connecting to ")
    assert not hasattr(log, "args")


@pytest.mark.parametrize("name", [name for name in events.__all__ if name != "AnyEvent"])
def test_what_an_event_is_matched_by_is_there(name: str) -> None:
    kind = getattr(events, name)
    assert issubclass(kind, Event)
    assert all(hasattr(kind, field) for field in kind.__match_args__)


def test_the_content_of_server_events_is_not_in_their_repr(
    connected: Recorder, server: Server, username: str
) -> None:
    server.emit(username, "command", {"password": "hunter2"})
    event = connected.until("server")
    assert "command" in repr(event)
    assert "hunter2" not in repr(event)
