# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panel: 3D view > N > CR8."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import bpy

from .. import processing, session
from .text import policy_lines, state_lines

_BUTTONS = {
    "reconnecting": ("cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "counting-down": ("cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "saving": ("cr8.keep_open",),
    "quitting": ("cr8.keep_open",),
    "held": ("cr8.release", "cr8.save_and_close"),
}
# A sidebar is narrow.
_WIDTH = 30

_CLAUSES = re.compile(r"(?<=[:;,]) ")


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
            for line in (*state_lines(None), *_CLAUSES.split(session.idle_reason())):
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


class PolicyPanel(bpy.types.Panel):  # type: ignore[misc]
    """Who decides when Blender saves and closes"""

    bl_idname = "CR8_PT_policy"
    bl_label = "Policy"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "CR8"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.handler() is not None

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        live = session.handler()
        if live is None:
            return
        for line in policy_lines(live.status()):
            for part in textwrap.wrap(line, _WIDTH):
                column.label(text=part)
        column.operator("cr8.swap_policy")
        column.operator("cr8.revert_policy")
