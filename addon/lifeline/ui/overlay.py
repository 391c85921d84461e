# SPDX-License-Identifier: GPL-3.0-or-later
"""A text at the foot of every 3D view, and in a countdown a bar below it.

It stays within the part that no sidebar or toolbar covers: they lie over the view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from .fitting import free_part, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

_FONT = 0
# In pixels at a UI scale of 1, as are all of these.
_SIZE = 16
_LINE = 24
# Of the height of the view.
_HIGHEST = 0.7
_FOOT = 48
_MARGIN = 8
# With less room than this the letters are smaller, but never smaller than that part of theirs.
_ROOM = 300
_SMALLEST = 0.5
# Where not even that is free it may be covered.
_NARROWEST = 60
_COLOUR = (1.0, 0.78, 0.25, 1.0)
_SHADOW = (0.0, 0.0, 0.0, 1.0)
# Behind all of it, for themes that are light.
_BACK = (0.0, 0.0, 0.0, 0.6)
_PADDING = 8
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
        area, region = bpy.context.area, bpy.context.region
        scale = bpy.context.preferences.system.ui_scale
        left, right = _free(area, region, _NARROWEST * scale)
        room = right - left - 2 * (_MARGIN + _PADDING) * scale
        scale *= min(1.0, max(_SMALLEST, room / (_ROOM * scale)))
        blf.size(_FONT, round(_SIZE * scale))
        lines = [part for line in self.lines for part in wrapped(line, room, _width)]
        # What comes first says the most.
        lines = lines[: max(1, int((region.height * _HIGHEST / scale - _FOOT) / _LINE))]
        middle = (left + right) / 2
        gpu.state.blend_set("ALPHA")
        bar = 0.0 if self.bar is None else min(_BAR_WIDTH * scale, room)
        _draw_back(lines, middle, bar, scale)
        _draw_text(lines, middle, scale)
        if self.bar is not None:
            _draw_bar(self.bar, middle, bar, scale)
        gpu.state.blend_set("NONE")


def _draw_back(lines: Sequence[str], middle: float, bar: float, scale: float) -> None:
    """bar: how wide it is; 0: there is none."""
    foot = (_BAR_FOOT if bar else _FOOT) - _PADDING
    top = _FOOT + len(lines) * _LINE - (_LINE - _SIZE) + _PADDING
    width = max(bar, *map(_width, lines)) + 2 * _PADDING * scale
    _rectangle(middle - width / 2, foot * scale, width, (top - foot) * scale, _BACK)


def _draw_text(lines: Sequence[str], middle: float, scale: float) -> None:
    blf.color(_FONT, *_COLOUR)
    blf.enable(_FONT, blf.SHADOW)
    blf.shadow(_FONT, 5, *_SHADOW)
    for number, line in enumerate(reversed(lines)):
        blf.position(_FONT, middle - _width(line) / 2, (_FOOT + number * _LINE) * scale, 0)
        blf.draw(_FONT, line)
    blf.disable(_FONT, blf.SHADOW)


def _free(area: Any, region: Any, narrowest: float) -> tuple[float, float]:
    """Within the region's own width; only what reaches down to its foot is in the way."""
    over = [
        (other.x - region.x, other.x - region.x + other.width)
        for other in area.regions
        # One that is hidden is a pixel wide.
        if other.type in ("TOOLS", "UI") and other.width > 1 and _beside(other, region)
    ]
    return free_part((0, region.width), over, narrowest)


def _beside(other: Any, region: Any) -> bool:
    return bool(other.x < region.x + region.width and other.x + other.width > region.x)


def _width(text: str) -> float:
    width, _height = blf.dimensions(_FONT, text)
    return float(width)


def _draw_bar(factor: float, middle: float, width: float, scale: float) -> None:
    begin, foot = middle - width / 2, _BAR_FOOT * scale
    _rectangle(begin, foot, width, _BAR_HEIGHT * scale, _BAR_BACK)
    _rectangle(begin, foot, width * factor, _BAR_HEIGHT * scale, _COLOUR)


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
