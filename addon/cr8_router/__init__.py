# SPDX-License-Identifier: GPL-3.0-or-later
"""The line between this Blender and the server that owns it.

Works as an extension (Blender 4.2 and later, `blender_manifest.toml`) and as a
legacy add-on (`bl_info`).
"""

import atexit
from contextlib import ExitStack

import bpy

from . import background, log, preferences, session, translations, ui
from .session import handler, run

bl_info = {
    "name": "CR8 Router",
    "description": "Saves the work and closes Blender when its server is lost",
    "author": "CR8",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > CR8",
    "category": "System",
}

__all__ = ["bl_info", "handler", "register", "run", "unregister"]

_registered = ExitStack()


def register() -> None:
    """Show the add-on and start the line, if it is configured. Never raises for a missing line."""
    global _registered
    unregister()
    with ExitStack() as undo:
        undo.callback(background.unregister)
        for part in (log, translations, preferences, ui, session):
            undo.callback(part.unregister)
            if part is ui:
                _show()
            else:
                part.register()
        _registered = undo.pop_all()
    # As a Python module Blender crashes or hangs at exit over a class or a handler that is left.
    if getattr(bpy.app, "module", False):
        atexit.register(unregister)


def _show() -> None:
    """A Blender whose interface somebody has taken apart has its work saved all the same."""
    try:
        ui.register()
    except Exception:
        log.logger.exception("The interface is not there", extra=log.about("interface-failed"))


def unregister() -> None:
    """Leave no timer, thread, socket, handler or class behind."""
    atexit.unregister(unregister)
    _registered.close()
