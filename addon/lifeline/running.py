# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing Lifeline and starting its connection, and taking all of it back."""

from __future__ import annotations

import atexit
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import bpy

from . import loading

if TYPE_CHECKING:
    from .connection.connection import Connection
    from .handlers import Handlers

_registered = ExitStack()
_loading: loading.Loading | None = None
_handlers: Handlers | None = None


def begin(handlers: Handlers) -> None:
    """Show Lifeline and start its connection, if one is configured. Never raises for a missing one.

    The first time, with a window, both come a moment later: as soon as everything is imported.
    Whoever asks for the connection before has it at once.
    """
    global _loading, _handlers
    end()
    end()  # what a handler of the end has begun
    _handlers = handlers
    if bpy.app.background or loading.loaded():
        start()
    else:
        _loading = loading.Loading(lambda: start())  # whichever it is by then
        try:
            _loading.begin()
        except RuntimeError:  # no thread is to be had
            _loading.cancel()
            start()
    # As a Python module Blender crashes or hangs at exit over a class or a handler that is left.
    if getattr(bpy.app, "module", False):
        atexit.register(end)


def start() -> None:
    """Now that everything is imported."""
    global _registered
    from . import background, interrupts, log, preferences, session, translations, ui, unasked

    with ExitStack() as undo:
        undo.callback(unasked.unregister)
        undo.callback(background.unregister)
        undo.callback(interrupts.unregister)
        # There Blender has a handler of its own, which breaks a render off: see `session.run`.
        if not bpy.app.background:
            interrupts.register()
        for part in (log, translations, preferences, ui):
            undo.callback(part.unregister)
            if part is ui:
                _show()
            else:
                part.register()
        undo.callback(session.unregister)
        unasked.register(session.rescue)
        _registered = undo.pop_all()
    if _handlers is None:
        return
    # Now that it can be taken back: a handler may end it, or connect anew, before this is over.
    begun = _registered
    try:
        session.register(_handlers)
    except BaseException:
        begun.close()
        raise


def _show() -> None:
    """A Blender whose interface somebody has taken apart has its work saved all the same."""
    from . import log, ui

    try:
        ui.register()
    except Exception:
        log.logger.exception("The interface is not there", extra=log.about("interface-failed"))


def end() -> None:
    """Leave no timer, thread, socket, handler or class behind."""
    global _loading
    if _loading is not None:
        _loading.cancel()
        _loading = None
    atexit.unregister(end)
    _registered.close()


def started() -> bool:
    """Whether everything is imported, and Lifeline shown."""
    return _loading is None or _loading.over


def connection() -> Connection | None:
    """The live one; None while idle."""
    # Classes are registered on the main thread alone.
    if _loading is not None and threading.current_thread() is threading.main_thread():
        _loading.finish()
    from . import session

    return session.connection()
