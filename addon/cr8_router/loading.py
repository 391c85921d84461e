# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports the add-on's modules on a thread of its own: Blender's main thread has no time for it.

Importing touches nothing of Blender but names, and classes that are not registered yet.
"""

from __future__ import annotations

import importlib
import threading
import time
from contextlib import suppress

_PARTS = ("background", "log", "session", "translations", "preferences", "ui")
_ADDON = __package__ or "cr8_router"

# Seconds in which whoever has started the thread gets on without waiting for Python's lock.
_FIRST_GO_ON = 0.005


_all_there = threading.Event()


def loaded() -> bool:
    """Whether a thread has imported all of it, so that nobody has to wait."""
    return _all_there.is_set()


def begin() -> threading.Thread:
    """Import what is missing. What cannot be imported raises when it is imported again."""
    thread = threading.Thread(target=_load, name="cr8-load", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    time.sleep(_FIRST_GO_ON)
    for part in _PARTS:
        importlib.import_module(f"{_ADDON}.{part}")
    from . import errors, native

    with suppress(errors.NativeMissingError):
        native.settings_table()
    _all_there.set()
