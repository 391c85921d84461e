# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panels: 3D view > N > CR8."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from .. import processing, session
from ..words import translated as _
from . import bar, last_outage
from .text import (
    ICONS,
    NO_LINE,
    in_trouble,
    policy_lines,
    remarks,
    state_lines,
    whole,
)

BUTTONS = {
    "reconnecting": ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "counting-down": ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.save_and_close"),
    "saving": ("cr8.keep_open",),
    "quitting": ("cr8.keep_open",),
    "held": ("cr8.try_now", "cr8.release", "cr8.save_and_close"),
}
"""What can be pressed in each phase."""

# Pixels of a letter at normal size, rather more than fewer.
_LETTER = 6.2
# What is left of a sidebar for letters.
_MARGIN = 8
_NARROWEST = 20


def _paragraph(context: Any, layout: Any, text: str, *, icon: str = "NONE") -> None:
    """A text in as many labels as the sidebar's width asks for."""
    scale = context.preferences.system.ui_scale
    letters = max(_NARROWEST, int(context.region.width / (_LETTER * scale)) - _MARGIN)
    rest = "NONE" if icon == "NONE" else "BLANK1"
    for number, line in enumerate(textwrap.wrap(text, letters)):
        layout.label(text=line, icon=icon if number == 0 else rest)


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
            _paragraph(context, column, session.idle_reason())
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
            _paragraph(context, column, line)
        if status["phase"] == "counting-down":
            bar.draw(column, whole(status))
        told = column.column(align=True)
        for remark in remarks(status, bpy.data.filepath):
            _paragraph(context, told, remark.text, icon=remark.icon)
        if worrying:
            _paragraph(context, told, status["server"], icon="URL")
        command = processing.current()
        if command is not None:
            _paragraph(context, column, _("Working on {}").format(command))
        for button in BUTTONS.get(status["phase"], ()):
            column.operator(button)


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
            _paragraph(context, lines, sentence)
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
            _paragraph(context, column, line, icon="ERROR" if wrong and number == 1 else "NONE")
        column.operator("cr8.swap_policy")
        column.operator("cr8.revert_policy")


PANELS = (LinePanel, LastOutagePanel, PolicyPanel)
