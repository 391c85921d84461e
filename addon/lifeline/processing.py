# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the server's commands is being worked on, if any.

A handler's command counts as processed when the handler returns, unless it
returns `PENDING`: then its work goes on (over further timer ticks, say), and it
calls `finish` itself. A lost server forgets the command; work that goes on can
see that by `current()`.
"""

from typing import Final

PENDING: Final = object()

_current: str | None = None


def current() -> str | None:
    """The command being processed."""
    return _current


def begin(command: str) -> None:
    """`command` is being processed from now on."""
    global _current
    _current = command


def finish(command: str) -> None:
    """`command` is done. Nothing if another one has begun or it was forgotten."""
    if _current == command:
        clear()


def clear() -> None:
    """Nothing is being processed any more."""
    global _current
    _current = None
