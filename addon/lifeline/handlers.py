# SPDX-License-Identifier: GPL-3.0-or-later
"""What an add-on has registered for events of the server and of the connection.

They belong to the client, not to a session of it: *Connect*, another host thread and another file
change nothing. All are called on Blender's main thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Called for what has no handler of its own, with the event's name first.
CATCH_ALL = "*"
NOT_TAKEN: Final = object()
"""What a handler of `command_received` gives for a command that it does not know."""
# What happens to the connection; these never go to the one that catches all.
OF_THE_CONNECTION = ("connect", "connect_error", "disconnect")


class Handlers:
    """One function for each event: a later one takes the place of an earlier one."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., object]] = {}
        self._before_save: list[Callable[[], object]] = []

    def set(self, event: str, function: Callable[..., object]) -> None:
        """For each event of this name from now on."""
        self._functions[event] = function

    def before_save(self, function: Callable[[], object]) -> None:
        """For each save of a clean-up from now on."""
        self._before_save.append(function)

    def has(self, event: str) -> bool:
        """Whether anybody would be called."""
        return event in self._functions or self._catches(event)

    def _catches(self, event: str) -> bool:
        return CATCH_ALL in self._functions and event not in OF_THE_CONNECTION

    def call(self, event: str, *args: object) -> object:
        """What the handler gives; None without one. Raises whatever it raises."""
        function = self._functions.get(event)
        if function is not None:
            if event in OF_THE_CONNECTION:
                args = _as_many_as_taken(function, args)
            return _call(function, *args)
        if self._catches(event):
            return _call(self._functions[CATCH_ALL], event, *args)
        return None

    def tell(self, event: str, *args: object) -> object:
        """Call the handler; what it raises goes to the log. Gives what it has returned."""
        try:
            return self.call(event, *args)
        except BaseException:  # it may call sys.exit(), or be interrupted by Ctrl-C
            handler_failed(event)
            return None

    def tell_of_server(self, event: str, *args: object) -> object:
        """As `tell`, for what the server has named: it must not speak for the connection."""
        if event in (CATCH_ALL, *OF_THE_CONNECTION):
            from .log import about, logger  # not while the add-on is imported

            logger.warning(
                "An event of the server's was not taken: its name is `%s`, which is kept for what "
                "happens to the connection",
                event,
                extra=about("event-not-taken", name=event),
            )
            return None
        return self.tell(event, *args)

    def tell_before_save(self) -> None:
        """What must be in the file is put there now; what fails must not stop the save."""
        for function in self._before_save:
            try:
                _call(function)
            except BaseException:  # as in `tell`
                handler_failed("cleanup")


def _call(function: Callable[..., object], *args: object) -> object:
    from . import interrupts  # not while the add-on is imported

    return interrupts.call(function, *args)


def handler_failed(event: str) -> None:
    """For the log, with the exception that is being handled."""
    from .log import about, logger  # not while the add-on is imported

    logger.exception(
        "A handler of the event %s failed", event, extra=about("handler-failed", name=event)
    )


def _as_many_as_taken(function: Callable[..., object], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A handler of `disconnect` may do without the reason, as it may in python-socketio."""
    import inspect  # it brings much along

    try:
        inspect.signature(function).bind(*args)
    except TypeError:
        return ()
    except ValueError:  # one that is written in C, and tells nothing
        pass
    return args
