# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the open file was changed after a clean-up's save, while Blender waits to close.

Blender's own `is_dirty` misses what Python changes, and a recovery copy leaves it set.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..listeners import Listeners

# Seconds in which what Blender updates is still the save's own doing, and no person's.
_SETTLING = 1.0

_EVENTS = ("depsgraph_update_post", "undo_post", "redo_post", "load_post")


class ChangeWatch:
    """Watches from a save to the quit that follows it, or to its cancellation."""

    def __init__(self) -> None:
        self._saved_at = 0.0
        self._clean = False
        self._touched = False
        self._untold: object = None

        @persistent  # type: ignore[untyped-decorator]
        def updated(*_args: Any) -> None:
            if time.monotonic() > self._saved_at + _SETTLING:
                self._touched = True

        self._listeners = Listeners(dict.fromkeys(_EVENTS, updated))

    def begin(self) -> None:
        """The file was saved just now."""
        self.end()
        self._saved_at = time.monotonic()
        self._clean = not bpy.data.is_dirty
        self._untold = _untold()
        self._listeners.attach()

    def end(self) -> None:
        """Watch no more: nothing counts as changed."""
        self._clean = self._touched = False
        self._untold = None
        self._listeners.detach()

    @property
    def changed(self) -> bool:
        """Since `begin`."""
        return (
            self._touched
            or (self._clean and bool(bpy.data.is_dirty))
            or (self._untold is not None and self._untold != _untold())
        )


def _untold() -> object:
    """What Blender tells nobody of when it is edited, in a form that differs then.

    None: it cannot be told, and counts as the same.
    """
    with suppress(Exception):
        return (
            [(text.name, hash(text.as_string())) for text in bpy.data.texts],
            [
                (scene.name, [(marker.frame, marker.name) for marker in scene.timeline_markers])
                for scene in bpy.data.scenes
            ],
        )
    return None
