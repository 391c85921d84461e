# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifeline for Blender: saves the work and closes Blender when its server is lost.

A library for add-ons, to be put anywhere under them.
"""

from __future__ import annotations

import atexit
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import bpy

from . import loading

if TYPE_CHECKING:
    from .connection.connection import Connection

__all__ = ["handler", "register", "run", "started", "unregister"]

_registered = ExitStack()
_loading: loading.Loading | None = None


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
        _loading = loading.Loading(_start)
        try:
            _loading.begin()
        except RuntimeError:  # no thread is to be had
            _loading.cancel()
            _start()
    # As a Python module Blender crashes or hangs at exit over a class or a handler that is left.
    if getattr(bpy.app, "module", False):
        atexit.register(unregister)


def _start() -> None:
    global _registered
    from . import background, interrupts, log, preferences, session, translations, ui, unasked

    with ExitStack() as undo:
        undo.callback(unasked.unregister)
        undo.callback(background.unregister)
        undo.callback(interrupts.unregister)
        # There Blender has a handler of its own, which breaks a render off: see `session.run`.
        if not bpy.app.background:
            interrupts.register()
        for part in (log, translations, preferences, ui, session):
            undo.callback(part.unregister)
            if part is ui:
                _show()
            else:
                part.register()
        unasked.register(session.rescue)
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
    if _loading is not None:
        _loading.cancel()
        _loading = None
    atexit.unregister(unregister)
    _registered.close()


def started() -> bool:
    """Whether everything is imported, and the add-on shown."""
    return _loading is None or _loading.over


def handler() -> Connection | None:
    """The live handler; None while idle."""
    # Classes are registered on the main thread alone.
    if _loading is not None and threading.current_thread() is threading.main_thread():
        _loading.finish()
    from . import session

    return session.handler()


def run() -> None:
    """The loop for background mode: see `session.run`."""
    from . import session

    session.run()
