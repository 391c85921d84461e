# SPDX-License-Identifier: GPL-3.0-or-later
"""A text at the foot of every 3D view."""

from __future__ import annotations

from typing import Any

import blf
import bpy

_FONT = 0
_SIZE = 16
_LINE = 24
_FOOT = 48
_COLOUR = (1.0, 0.78, 0.25, 1.0)
_SHADOW = (0.0, 0.0, 0.0, 1.0)


class Overlay:
    """Draws `lines` whenever Blender draws a 3D view; nothing while there are none."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self._handle: Any = None

    def show(self) -> None:
        """Take part in drawing."""
        self._handle = bpy.types.SpaceView3D.draw_handler_add(
            self._draw, (), "WINDOW", "POST_PIXEL"
        )

    def hide(self) -> None:
        """Take part no more."""
        bpy.types.SpaceView3D.draw_handler_remove(self._handle, "WINDOW")
        self._handle = None

    def _draw(self) -> None:
        if not self.lines:
            return
        scale = bpy.context.preferences.system.ui_scale
        middle = bpy.context.region.width / 2
        blf.size(_FONT, round(_SIZE * scale))
        blf.color(_FONT, *_COLOUR)
        blf.enable(_FONT, blf.SHADOW)
        blf.shadow(_FONT, 5, *_SHADOW)
        for number, line in enumerate(reversed(self.lines)):
            width, _height = blf.dimensions(_FONT, line)
            blf.position(_FONT, max(0.0, middle - width / 2), (_FOOT + number * _LINE) * scale, 0)
            blf.draw(_FONT, line)
        blf.disable(_FONT, blf.SHADOW)
