# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends Blender, or the add-on, though nobody has asked for that.

A script's `sys.exit()` in a timer, a handler or an operator ends the whole of Blender, unsaved. And
preferences that are read anew (`read_factory_settings`, with which many scripts begin) disable
every add-on that is not in them.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING

import bpy

from . import options
from .log import about, logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

# Of Blender's `addon_utils`.
_ALL = ("disable_all", "reset_all")
# Seconds.
_AGAIN = 0.1

_exiting: Callable[[], None] | None = None


def register(exiting: Callable[[], None]) -> None:
    """exiting: called on the main thread when Python ends first, and Blender with it."""
    global _exiting
    unregister()
    # In background mode a script's end is Blender's end, as its author means it. With a window
    # Blender takes the add-on down before it ends Python.
    if not bpy.app.background:
        _exiting = exiting
        atexit.register(exiting)


def unregister() -> None:
    """The add-on is disabled, by whoever it is."""
    global _exiting
    exiting, _exiting = _exiting, None
    if exiting is None:
        return
    atexit.unregister(exiting)
    # If Blender is closed, which begins in the same way, the timer is never called.
    if _all_are_disabled() and _is_wanted():
        bpy.app.timers.register(_enable, first_interval=_AGAIN, persistent=True)


def _all_are_disabled() -> bool:
    """Not this one by a person; nothing else tells the two apart."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "addon_utils" and frame.f_code.co_name in _ALL:
            return True
        frame = frame.f_back
    return False


def _is_wanted() -> bool:
    """By who has started Blender, or the add-on: what preferences have said is gone with them."""
    chosen = options.current
    server = chosen.arguments.get("server_url") or os.environ.get("WS_URL", "").strip()
    return bool(chosen.addon and server)


def _enable() -> None:
    import addon_utils

    # Where all scripts are loaded anew, Blender has done it itself.
    if not addon_utils.check(options.current.addon)[1]:
        addon_utils.enable(options.current.addon, default_set=True)
        logger.warning(
            "All add-ons were disabled, with the preferences: this one is enabled again",
            extra=about("enabled-again"),
        )
