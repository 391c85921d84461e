# SPDX-License-Identifier: GPL-3.0-or-later
"""A text at the foot of every 3D view, and in a countdown a bar below it."""

from __future__ import annotations

from typing import Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

_FONT = 0
_SIZE = 16
_LINE = 24
_FOOT = 48
_COLOUR = (1.0, 0.78, 0.25, 1.0)
_SHADOW = (0.0, 0.0, 0.0, 1.0)
# The bar, below the text.
_BAR_WIDTH = 360
_BAR_HEIGHT = 8
_BAR_FOOT = 30
_BAR_BACK = (0.0, 0.0, 0.0, 0.55)
# Its name was another one before 4.0.
_SHADER = "UNIFORM_COLOR" if bpy.app.version >= (4, 0, 0) else "2D_UNIFORM_COLOR"


class Overlay:
    """Draws `lines` whenever Blender draws a 3D view; nothing while there are none."""

    def __init__(self) -> None:
        self.lines: tuple[str, ...] = ()
        self.bar: float | None = None
        """How much of the bar is full, of 1; None: there is no bar."""
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
        if self.bar is not None:
            self._draw_bar(self.bar, middle, scale)

    def _draw_bar(self, factor: float, middle: float, scale: float) -> None:
        width = min(_BAR_WIDTH * scale, 2 * middle)
        begin, foot = middle - width / 2, _BAR_FOOT * scale
        gpu.state.blend_set("ALPHA")
        _rectangle(begin, foot, width, _BAR_HEIGHT * scale, _BAR_BACK)
        _rectangle(begin, foot, width * factor, _BAR_HEIGHT * scale, _COLOUR)
        gpu.state.blend_set("NONE")


def _rectangle(
    left: float, foot: float, width: float, height: float, colour: tuple[float, float, float, float]
) -> None:
    right, top = left + width, foot + height
    shader = gpu.shader.from_builtin(_SHADER)
    corners = [(left, foot), (right, foot), (right, top), (left, top)]
    batch = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)])
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)
