# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panels: 3D view > N > CR8."""

from __future__ import annotations

from typing import Any

import bpy

from .. import processing, session
from ..paragraph import paragraph
from ..words import translated as _
from . import bar, countdown, last_outage
from .text import (
    ICONS,
    NO_LINE,
    in_trouble,
    policy_lines,
    remarks,
    state_lines,
)

BUTTONS = {
    "reconnecting": ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "counting-down": ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "saving": ("cr8.keep_open",),
    "quitting": ("cr8.keep_open",),
    "held": ("cr8.try_now", "cr8.release", "cr8.save_and_close"),
}
"""What can be pressed in each phase."""


class _SidebarPanel(bpy.types.Panel):  # type: ignore[misc]
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "CR8"


class LinePanel(_SidebarPanel):
    """The line's state, and what can be done about it"""

    bl_idname = "CR8_PT_line"
    bl_label = "Server"
    bl_order = 0

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        live = session.handler()
        if live is None:
            column.label(text=state_lines(None)[0], icon=NO_LINE)
            paragraph(context, column, session.idle_reason())
            column.operator("cr8.connect")
            column.operator("cr8.show_preferences", icon="PREFERENCES")
            return
        status = live.status()
        headline, *rest = state_lines(status)
        worrying = in_trouble(status)
        first = column.row()
        first.alert = worrying
        first.label(text=headline, icon=ICONS.get(status["phase"], NO_LINE))
        for line in rest:
            paragraph(context, column, line)
        left = countdown.factor(status)
        if left is not None:
            bar.draw(column, left)
        # Above what has more lines at one time than at another: a button must not move away.
        for button in BUTTONS.get(status["phase"], ()):
            column.operator(button)
        told = column.column(align=True)
        for remark in remarks(status, bpy.data.filepath):
            paragraph(context, told, remark.text, icon=remark.icon)
        if worrying:
            paragraph(context, told, status["server"], icon="URL")
        command = processing.current()
        if command is not None:
            paragraph(context, column, _("Working on {}").format(command))


class LastOutagePanel(_SidebarPanel):
    """What the last outage has led to, and what was saved where"""

    bl_idname = "CR8_PT_last_outage"
    bl_label = "Last Outage"
    bl_order = 1

    @classmethod
    def poll(cls, _context: Any) -> bool:
        live = session.handler()
        return live is not None and live.status()["last_outage"] is not None

    def draw(self, context: Any) -> None:
        live = session.handler()
        if live is None:
            return
        column = self.layout.column()
        when, *told = last_outage.sentences(live.status())
        column.label(text=when, icon="TIME")
        lines = column.column(align=True)
        for sentence in told:
            paragraph(context, lines, sentence)
        column.operator("cr8.open_recovery_folder", icon="FILE_FOLDER")


class PolicyPanel(_SidebarPanel):
    """Who decides when Blender saves and closes"""

    bl_idname = "CR8_PT_policy"
    bl_label = "Policy"
    bl_order = 2

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.handler() is not None

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        live = session.handler()
        if live is None:
            return
        status = live.status()
        wrong = status["policy"]["set_aside"] or status["policy"]["refused"] is not None
        for number, line in enumerate(policy_lines(status)):
            paragraph(context, column, line, icon="ERROR" if wrong and number == 1 else "NONE")
        column.operator("cr8.swap_policy")
        column.operator("cr8.revert_policy")


PANELS = (LinePanel, LastOutagePanel, PolicyPanel)
