# SPDX-License-Identifier: GPL-3.0-or-later
"""A time line as a picture: a band for the phases, ticks for what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy.utils.previews

if TYPE_CHECKING:
    from .rehearsal import Rehearsed

Colour = tuple[float, float, float, float]

# Blender gives each picture the room of a square, so a band is a row of squares.
_TILE = 64
_TILES = 10
WIDTH = _TILES * _TILE
# From the bottom: ticks of attempts, the phases, marks of warnings and of the end.
_ATTEMPTS = range(4, 16)
_PHASES = range(20, 44)
_MARKS = range(48, 60)
_SCALE = 2.2

_CLEAR: Colour = (0.0, 0.0, 0.0, 0.0)
_PHASE: dict[str, Colour] = {
    "reconnecting": (0.45, 0.55, 0.75, 1.0),
    "counting-down": (0.95, 0.65, 0.15, 1.0),
    "saving": (0.3, 0.7, 0.35, 1.0),
    "quitting": (0.55, 0.55, 0.55, 1.0),
}
_OTHER: Colour = (0.35, 0.35, 0.35, 1.0)
_MARK: dict[str, Colour] = {
    "attempt": (0.75, 0.75, 0.75, 1.0),
    "warning": (0.95, 0.8, 0.3, 1.0),
    "save": (0.3, 0.8, 0.4, 1.0),
    "close": (0.9, 0.35, 0.3, 1.0),
}

_previews: list[Any] = []


def paint(rehearsed: Rehearsed) -> list[list[Colour]]:
    """64 rows of `WIDTH` pixels, from the bottom up."""
    whole = max(rehearsed.end, 0.001)

    def column(at: float) -> int:
        return min(WIDTH - 1, max(0, int(at / whole * WIDTH)))

    phases = [_CLEAR] * WIDTH
    for span in rehearsed.spans:
        for x in range(column(span.begin), column(span.end) + 1):
            phases[x] = _PHASE.get(span.phase, _OTHER)
    attempts, marks = [_CLEAR] * WIDTH, [_CLEAR] * WIDTH
    for at, kind in rehearsed.marks:
        row = attempts if kind == "attempt" else marks
        x = column(at)
        for near in (x - 1, x):
            row[max(0, near)] = _MARK[kind]
    picture = [[_CLEAR] * WIDTH for _row in range(_TILE)]
    for rows, band in ((_ATTEMPTS, attempts), (_PHASES, phases), (_MARKS, marks)):
        for y in rows:
            picture[y] = band
    return picture


def show(rehearsed: Rehearsed) -> None:
    """Draw this one from now on. For the main thread of a Blender with a window."""
    forget()
    collection = bpy.utils.previews.new()
    picture = paint(rehearsed)
    for number in range(_TILES):
        preview = collection.new(str(number))
        preview.image_size = (_TILE, _TILE)
        columns = slice(number * _TILE, (number + 1) * _TILE)
        pixels = (colour for row in picture for colour in row[columns])
        preview.image_pixels_float = [part for colour in pixels for part in colour]
    _previews.append(collection)


def draw(layout: Any) -> None:
    """The picture, if there is one."""
    if not _previews:
        return
    row = layout.row(align=True)
    row.alignment = "CENTER"
    for number in range(_TILES):
        row.template_icon(icon_value=_previews[0][str(number)].icon_id, scale=_SCALE)


def forget() -> None:
    """The picture."""
    while _previews:
        bpy.utils.previews.remove(_previews.pop())
