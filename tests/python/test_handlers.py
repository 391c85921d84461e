"""Who is called for what."""

from __future__ import annotations

import logging

import pytest

from tests.python.test_own_files import module

CATCH_ALL, Handlers = module("handlers").CATCH_ALL, module("handlers").Handlers


def test_a_later_one_takes_the_place_of_an_earlier_one() -> None:
    handlers, heard = Handlers(), []
    handlers.set("beat", lambda: heard.append("first"))
    handlers.set("beat", lambda: heard.append("second"))
    handlers.tell("beat")
    assert heard == ["second"]


def test_the_one_that_catches_all_hears_the_rest_but_nothing_of_the_connection() -> None:
    handlers, heard = Handlers(), []
    handlers.set("beat", lambda *args: heard.append(args))
    handlers.set(CATCH_ALL, lambda *args: heard.append(args))
    for event in ("beat", "other", "connect", "disconnect", "connect_error"):
        handlers.tell(event, 1)
    assert heard == [(1,), ("other", 1)]


@pytest.mark.parametrize("event", ["connect", "connect_error", "disconnect", CATCH_ALL])
def test_the_server_does_not_speak_for_the_connection(
    event: str, caplog: pytest.LogCaptureFixture
) -> None:
    handlers, heard = Handlers(), []
    handlers.set(event, lambda *args: heard.append(args))
    handlers.tell_of_server(event, 1)
    assert heard == []
    assert [f"its name is `{event}`" in message for message in caplog.messages] == [True]


def test_a_handler_of_a_loss_may_do_without_the_reason() -> None:
    handlers, heard = Handlers(), []
    handlers.set("disconnect", lambda: heard.append("lost"))
    handlers.set("connect_error", lambda data: heard.append(data))
    handlers.tell("disconnect", "transport error")
    handlers.tell("connect_error", {"message": "refused"})
    assert heard == ["lost", {"message": "refused"}]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_one_raises_goes_to_the_log(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    handlers, heard = Handlers(), []
    handlers.set("beat", fail)
    handlers.before_save(fail)
    handlers.before_save(lambda: heard.append("saved"))
    with caplog.at_level(logging.ERROR):
        handlers.tell("beat")
        handlers.tell_before_save()
    assert heard == ["saved"]
    assert caplog.messages == [
        "A handler of the event beat failed",
        "A handler of the event cleanup failed",
    ]
