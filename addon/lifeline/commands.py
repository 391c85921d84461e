# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's commands, each of which is answered once: somebody waits for it.

`command_completed` is for the add-on to send, and so is `command_failed`. This module sends that if
nobody takes the command, or if who has taken it raises.

An answer is `{message_id, type, payload: {status, data}, metadata: {timestamp, source, route}}`.
With the server goes whoever waited: in an outage nothing is answered any more.
"""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .handlers import NOT_TAKEN, handler_failed
from .log import about, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from .handlers import Handlers

EVENT: Final = "command_received"
COMPLETED: Final = "command_completed"
FAILED: Final = "command_failed"

# Commands that nobody ever answers must not pile up.
_MOST = 1_000


class Command(NamedTuple):
    """What is needed of one to answer it."""

    message_id: str
    addon: str
    name: str
    route: str

    @classmethod
    def of(cls, data: object) -> Command:
        """What is missing, or none of the kind, is ""."""
        message = data if isinstance(data, dict) else {}
        metadata = message.get("metadata")
        route = (metadata if isinstance(metadata, dict) else message).get("route")
        return cls(
            _text(message.get("message_id")),
            _text(message.get("addon_id")),
            _text(message.get("command") or message.get("type")),
            _text(route) or "direct",
        )

    @property
    def called(self) -> str:
        """`cr8_sets.list_sets`"""
        name = self.name or "a command without a name"
        return f"{self.addon}.{name}" if self.addon else name

    def failure(self, code: str, message: str) -> dict[str, Any]:
        """The answer, as the engine and the page read it."""
        data = {
            "status": "error",
            "error_code": code,
            "message": message,
            "command": self.name,
            "addon_id": self.addon,
        }
        return {
            "message_id": self.message_id,
            "type": FAILED,
            "payload": {"status": "error", "data": data},
            "metadata": {"timestamp": time.time(), "source": "blender", "route": self.route},
        }


class Commands:
    """Of one session. emit: sends an event; False: it was not sent."""

    def __init__(self, handlers: Handlers, emit: Callable[[str, object], bool]) -> None:
        self._handlers = handlers
        self._emit = emit
        self._open: dict[str, Command] = {}

    def received(self, args: list[Any]) -> None:
        """Hand it to the add-on, and answer if that does not take it."""
        command = Command.of(args[0] if args else None)
        self._open[command.message_id] = command
        if len(self._open) > _MOST:
            del self._open[next(iter(self._open))]
        outcome: object = NOT_TAKEN
        try:
            if self._handlers.has(EVENT):
                outcome = self._handlers.call(EVENT, *args)
        except BaseException as error:  # it may call sys.exit(), or be interrupted by Ctrl-C
            handler_failed(EVENT)
            reason = "".join(traceback.format_exception_only(error)).strip()
            self._fail(command, "HANDLER_FAILED", f"{command.called} has failed: {reason}")
            return
        if outcome is NOT_TAKEN:
            self._not_taken(command)
        elif not command.message_id:  # nobody can answer it
            self._open.pop("", None)

    def _not_taken(self, command: Command) -> None:
        why = f"nothing in this Blender takes {command.called}"
        if command.addon:
            why += f": is the add-on {command.addon} installed and enabled?"
        logger.warning(
            "Command not taken: %s", why, extra=about("command-not-taken", command=command.called)
        )
        self._fail(command, "NOT_TAKEN", why)

    def _fail(self, command: Command, code: str, why: str) -> None:
        # Not if it was answered before.
        if self._open.pop(command.message_id, None) is not None and command.message_id:
            self._emit(FAILED, command.failure(code, why))

    def sent(self, event: str, data: object) -> None:
        """Whatever this Blender has sent: it may be an answer. On any thread."""
        if event in (COMPLETED, FAILED) and isinstance(data, dict):
            self._open.pop(_text(data.get("message_id")), None)

    def current(self) -> str | None:
        """What is being worked on, longest of all."""
        try:
            return next(iter(self._open.values())).called
        except (StopIteration, RuntimeError):  # one was answered on another thread just now
            return None

    def drop(self) -> None:
        """The server is lost, and with it whoever waits."""
        dropped, self._open = list(self._open.values()), {}
        if dropped:
            names = [command.called for command in dropped]
            logger.warning(
                "Dropped, since nobody waits for the answer any more: %s",
                ", ".join(names),
                extra=about("commands-dropped", commands=names),
            )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
