# SPDX-License-Identifier: GPL-3.0-or-later
"""The line between this Blender and the server that owns it.

Works as an extension (Blender 4.2 and later, `blender_manifest.toml`) and as a
legacy add-on (`bl_info`).
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from typing import TYPE_CHECKING

import bpy

from . import loading

if TYPE_CHECKING:
    from threading import Thread

    from .ws.websocket_handler import WebSocketHandler

bl_info = {
    "name": "CR8 Router",
    "description": "Saves the work and closes Blender when its server is lost",
    "author": "CR8",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > CR8",
    "category": "System",
}

__all__ = ["bl_info", "handler", "register", "run", "started", "unregister"]

# Seconds between two looks at what is being loaded.
_LOOK = 0.1

_registered = ExitStack()
_loading: Thread | None = None


def register() -> None:
    """Show the add-on and start the line, if it is configured. Never raises for a missing line.

    The first time, with a window, both come a moment later: as soon as everything is imported.
    Whoever asks for the handler before has it at once.
    """
    global _loading
    unregister()
    if bpy.app.background or loading.loaded():
        _start()
    else:
        _loading = loading.begin()
        bpy.app.timers.register(_look, first_interval=_LOOK, persistent=True)
    # As a Python module Blender crashes or hangs at exit over a class or a handler that is left.
    if getattr(bpy.app, "module", False):
        atexit.register(unregister)


def _look() -> float | None:
    if _loading is not None:
        if _loading.is_alive():
            return _LOOK
        _start_now()
    return None


def _start_now() -> None:
    """If it has not started yet."""
    global _loading
    thread, _loading = _loading, None
    if thread is not None:
        thread.join()
        _start()


def _start() -> None:
    global _registered
    from . import background, log, preferences, session, translations, ui

    with ExitStack() as undo:
        undo.callback(background.unregister)
        for part in (log, translations, preferences, ui, session):
            undo.callback(part.unregister)
            if part is ui:
                _show()
            else:
                part.register()
        _registered = undo.pop_all()


def _show() -> None:
    """A Blender whose interface somebody has taken apart has its work saved all the same."""
    from . import log, ui

    try:
        ui.register()
    except Exception:
        log.logger.exception("The interface is not there", extra=log.about("interface-failed"))


def unregister() -> None:
    """Leave no timer, thread, socket, handler or class behind."""
    global _loading
    _loading = None
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    atexit.unregister(unregister)
    _registered.close()


def started() -> bool:
    """Whether everything is imported, and the add-on shown."""
    return _loading is None


def handler() -> WebSocketHandler | None:
    """The live handler; None while idle."""
    _start_now()
    from . import session

    return session.handler()


def run() -> None:
    """The loop for background mode: see `session.run`."""
    from . import session

    session.run()
