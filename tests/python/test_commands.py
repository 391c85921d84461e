"""Each command of the server's is answered once, whatever the add-on does with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.python.test_own_files import module

commands, handlers = module("commands"), module("handlers")
COMPLETED, EVENT, FAILED = commands.COMPLETED, commands.EVENT, commands.FAILED

COMMAND = {
    "type": "addon_command",
    "addon_id": "sets",
    "command": "build",
    "params": {},
    "message_id": "7",
    "metadata": {"route": "agent"},
}


class Server:
    """What is sent to it, and a `Commands` of it."""

    def __init__(self, handler: Callable[..., object] | None, event: str = EVENT) -> None:
        registered = handlers.Handlers()
        if handler is not None:
            registered.set(event, handler)
        self.sent: list[tuple[str, Any]] = []
        self.commands = commands.Commands(registered, self.emit)

    def emit(self, event: str, data: object) -> bool:
        self.sent.append((event, data))
        self.commands.sent(event, data)
        return True

    def failure(self) -> dict[str, Any]:
        ((event, answer),) = self.sent
        assert event == answer["type"] == FAILED
        assert answer["payload"]["status"] == "error"
        data: dict[str, Any] = answer["payload"]["data"]
        return data


@pytest.mark.parametrize("handler", [None, lambda _message: handlers.NOT_TAKEN])
def test_what_nobody_takes_is_answered_at_once(handler: Callable[..., object] | None) -> None:
    server = Server(handler)
    server.commands.received([COMMAND])
    (answer,) = (data for _event, data in server.sent)
    assert {name: answer[name] for name in ("message_id", "type")} == {
        "message_id": "7",
        "type": "command_failed",
    }
    assert answer["metadata"].pop("timestamp") > 1e9
    assert answer["metadata"] == {"source": "blender", "route": "agent"}
    assert server.failure() == {
        "status": "error",
        "error_code": "NOT_TAKEN",
        "command": "build",
        "addon_id": "sets",
        "message": "nothing in this Blender takes sets.build: is the add-on sets installed and "
        "enabled?",
    }
    assert server.commands.current() is None


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_who_takes_it_raises(error: type[BaseException]) -> None:
    def fail(_message: object) -> None:
        raise error("no such set")

    server = Server(fail)
    server.commands.received([COMMAND])
    failure = server.failure()
    assert failure["error_code"] == "HANDLER_FAILED"
    assert failure["message"] == f"sets.build has failed: {error.__name__}: no such set"


def test_an_answer_is_the_only_one() -> None:
    """Also if the handler raises behind it."""
    server = Server(None)

    def answer(message: dict[str, Any]) -> None:
        server.emit(COMPLETED, {"message_id": message["message_id"]})
        raise ValueError

    server = Server(answer)
    server.commands.received([COMMAND])
    assert [event for event, _data in server.sent] == [COMPLETED]


def test_the_answer_may_come_later() -> None:
    server = Server(lambda _message: None)
    server.commands.received([COMMAND])
    assert server.sent == []
    assert server.commands.current() == "sets.build"
    server.emit(COMPLETED, {"message_id": "another"})
    assert server.commands.current() == "sets.build"
    server.emit(FAILED, {"message_id": "7"})
    assert server.commands.current() is None


def test_in_an_outage_the_unanswered_are_dropped_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server(lambda _message: None)
    for number in range(3):
        server.commands.received([{**COMMAND, "message_id": str(number), "command": f"c{number}"}])
    server.emit(COMPLETED, {"message_id": "1"})
    with caplog.at_level(logging.WARNING):
        server.commands.drop()
    assert caplog.messages == [
        "Dropped, since nobody waits for the answer any more: sets.c0, sets.c2"
    ]
    assert server.commands.current() is None
    caplog.clear()
    server.commands.drop()
    assert caplog.messages == []


def test_one_that_catches_all_takes_commands_too() -> None:
    heard: list[object] = []
    server = Server(lambda *args: heard.append(args), handlers.CATCH_ALL)
    server.commands.received([COMMAND])
    assert heard == [(EVENT, COMMAND)]
    assert server.sent == []


@pytest.mark.parametrize("args", [[], [None], ["text"], [{"message_id": 5}], [{"metadata": 3}]])
def test_what_is_no_command_cannot_be_answered(args: list[Any]) -> None:
    server = Server(None)
    server.commands.received(args)
    assert server.sent == []
    assert server.commands.current() is None


def test_what_is_never_answered_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_MOST", 2)
    server = Server(lambda _message: None)
    for number in range(5):
        server.commands.received([{**COMMAND, "message_id": str(number), "command": f"c{number}"}])
    assert server.commands.current() == "sets.c3"
