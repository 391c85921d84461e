# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C (SIGINT) does not strike the add-on: it would end a save in the middle, or lose an order.

Python raises KeyboardInterrupt in whatever runs next on the main thread. In an idle Blender that is
most often a tick of ours, though the person at the server's terminal has meant the server, or a
script. So what is ours is spared; what others run is interrupted as ever, also if we have called it
(`call`).
"""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

T = TypeVar("T")

_PACKAGE = __package__

_before: Any = None
_spared = 0


def call(function: Callable[..., T], *args: object) -> T:
    """Let a function of somebody else's be interrupted."""
    return function(*args)


def taken() -> int:
    """How often Ctrl-C has struck the add-on since this was asked last."""
    global _spared
    spared, _spared = _spared, 0
    return spared


def register() -> None:
    """Begin to spare the add-on, unless the signal is ignored.

    A handler that is not Python's, as Blender has in background mode, cannot be put back.
    """
    global _before
    before = signal.getsignal(signal.SIGINT)
    if before is None:
        before = signal.default_int_handler
    if not callable(before) or before is _interrupted:
        return
    with suppress(ValueError):  # not on the main thread
        signal.signal(signal.SIGINT, _interrupted)
        _before = before


def unregister() -> None:
    """Spare it no more, unless another handler has been put over ours."""
    global _before
    before, _before = _before, None
    if before is not None and signal.getsignal(signal.SIGINT) is _interrupted:
        with suppress(ValueError):
            signal.signal(signal.SIGINT, before)


def _interrupted(number: int, frame: FrameType | None) -> None:
    global _spared
    if _is_ours(frame):
        _spared += 1
    else:
        # Whoever has kept our handler and put it back gets Python's own.
        (_before or signal.default_int_handler)(number, frame)


def _is_ours(frame: FrameType | None) -> bool:
    """Whether the add-on runs, or what it has called: the innermost of its functions tells."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module == _PACKAGE or module.startswith(f"{_PACKAGE}."):
            return frame.f_code is not call.__code__
        frame = frame.f_back
    return False
