# SPDX-License-Identifier: GPL-3.0-or-later
"""One function for each kind of event that comes from the host, called on the main thread."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from .. import output
from ..log import about, logger
from ..wording import span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cr8_lifeline import events

    from .connection import Connection

_LOSSES: Final = {
    "never-connected": "Server not reached yet",
    "transport-error": "Connection to server lost",
    "ping-timeout": "Server stopped answering",
    "frozen": "Server has frozen",
    "server-disconnect": "Server has disconnected this Blender",
}


# As python-socketio calls them, whose handlers people have.
_REASONS: Final = {"server-disconnect": "server disconnect"}
_OTHER_REASON: Final = "transport error"


def on_log(connection: Connection, event: events.Log) -> None:
    """The host has something for the log."""
    level = logging.getLevelName(event.level.upper())
    fields = {"event": event.name, "fields": event.fields}
    logger.log(level, "%s", event.message, extra=fields)
    first = event.name == "not-connected" and event.fields.get("reason") == "never-connected"
    if first or event.name == "attempt-failed":
        connection.handlers.tell("connect_error", {"message": event.fields.get("detail")})


def on_connect(connection: Connection, _event: events.Connected) -> None:
    """The server accepted the connection."""
    output.give_back()
    logger.info("Connected to server", extra=about("connected"))
    connection.cancel_cleanup()
    connection.drop_what_was_copied_before()
    connection.tell_connected()


def on_disconnect(connection: Connection, event: events.Lost) -> None:
    """The server is lost, and with it whoever waits for an answer."""
    output.take_over()
    # Of an outage that a host thread has not survived.
    connection.cancel_cleanup()
    logger.warning(
        "%s. Trying to connect.",
        _LOSSES.get(event.reason, "Server lost"),
        extra=about("lost", reason=event.reason),
    )
    connection.tell_disconnected(_REASONS.get(event.reason, _OTHER_REASON))


def on_recovered(connection: Connection, event: events.Recovered) -> None:
    """The server is back."""
    output.give_back()
    logger.info(
        "Server reconnected after %s",
        span(event.seconds),
        extra=about("reconnected", seconds=event.seconds),
    )
    connection.cancel_cleanup()


def on_countdown(connection: Connection, event: events.Countdown) -> None:
    """The server is unreachable: save and close at the end of a countdown."""
    connection.start_countdown(event.seconds, event.attempts)


def on_warn(_connection: Connection, event: events.Warn) -> None:
    """The countdown nears its end."""
    logger.warning(
        "Blender will save and close in %s if server does not reconnect.",
        span(event.seconds),
        extra=about("warning", seconds=event.seconds),
    )


def on_held(connection: Connection, _event: events.Held) -> None:
    """A person keeps Blender open."""
    logger.info("Blender is kept open until it is released", extra=about("held"))
    connection.cancel_cleanup()


def on_save(connection: Connection, event: events.Save) -> None:
    """Save, and answer."""
    output.take_over()  # after SIGTERM no server was lost
    connection.ask_to_save(event.ticket, event.place, event.reason)
    connection.perform_cleanup()


def on_early_copy(connection: Connection, event: events.EarlyCopy) -> None:
    """Blender may not live to save: keep a copy of the work; or none any more."""
    connection.copy_early(needed=event.needed)


def on_quit(connection: Connection, event: events.Quit) -> None:
    """Agree to close Blender, or have it saved once more."""
    connection.close_blender(event.ticket)


def on_close(connection: Connection, _event: events.Close) -> None:
    """Close Blender."""
    connection.close_for_good()


def on_server_event(connection: Connection, event: events.ServerEvent) -> None:
    """The server sent an event, and may wait for an answer."""
    answer = connection.dispatch(event.name, event.args)
    # One of an older native module has none.
    ack = getattr(event, "ack", None)
    if ack is not None:
        connection.answer(ack, answer)


def on_policy(connection: Connection, event: events.PolicySwap) -> None:
    """A swap of policies has ended."""
    if event.message is None:
        now = connection.status()["policy"]
        logger.info(
            "Policy %s %s (%.12s) decides now",
            now["name"],
            now["version"],
            now["sha256"],
            extra=about(
                "policy-taken", name=now["name"], version=now["version"], sha256=now["sha256"]
            ),
        )
    else:
        logger.error(
            "Policy not taken: %s",
            event.message,
            extra=about("policy-refused", reason=event.message),
        )


# By kind and not by class: an add-on that is updated in a running Blender still has its old native
# module, whose events are all of one class.
HANDLERS: Final[Mapping[str, Callable[[Connection, Any], None]]] = {
    "log": on_log,
    "connected": on_connect,
    "lost": on_disconnect,
    "recovered": on_recovered,
    "countdown": on_countdown,
    "warn": on_warn,
    "held": on_held,
    "save": on_save,
    "early-copy": on_early_copy,
    "quit": on_quit,
    "close": on_close,
    "server": on_server_event,
    "policy": on_policy,
}
