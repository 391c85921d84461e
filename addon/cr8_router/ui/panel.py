# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panel: 3D view > N > CR8."""

from __future__ import annotations

import re
from typing import Any

import bpy

from .. import processing, session
from .text import state_lines

_BUTTONS = {
    "reconnecting": ("cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "counting-down": ("cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "saving": ("cr8.keep_open",),
    "quitting": ("cr8.keep_open",),
    "held": ("cr8.release", "cr8.save_and_close"),
}


class LinePanel(bpy.types.Panel):  # type: ignore[misc]
    """The line's state, and what can be done about it"""

    bl_idname = "CR8_PT_line"
    bl_label = "Server"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "CR8"

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        live = session.handler()
        if live is None:
            # A sidebar is narrow: one label a clause.
            for line in (*state_lines(None), *re.split(r"(?<=[:;,]) ", session.idle_reason())):
                column.label(text=line)
            return
        status = live.status()
        for line in state_lines(status):
            column.label(text=line)
        command = processing.current()
        if command is not None:
            column.label(text=f"Working on {command}")
        for button in _BUTTONS.get(status["phase"], ()):
            column.operator(button)
