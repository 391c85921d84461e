# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panels: 3D view > N > the tab that the add-on has chosen.

What can be pressed has one place, whatever the state: a button that is gone, or moves, leaves
another one under the pointer. So the upper panels are as high in each state, with buttons that
cannot be pressed greyed out; what takes more lines at one time than at another comes below them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import configuration, options, session
from ..paragraph import paragraph
from ..words import translated as _
from . import bar, countdown, last_outage, unsaved_work
from .text import (
    ICONS,
    NO_LINE,
    in_trouble,
    policy_lines,
    remarks,
    state_lines,
)

# In groups. What closes Blender stands apart.
_BUTTONS = (
    ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.release"),
    ("cr8.save_and_close",),
    ("cr8.open_recovery_folder",),
)
_POLICY_BUTTONS = ("cr8.swap_policy", "cr8.revert_policy")
# Lines that are there in any case.
_POLICY_LINES = 2


class _SidebarPanel(bpy.types.Panel):  # type: ignore[misc]
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"


class LinePanel(_SidebarPanel):
    """The line's state, and what can be done about it"""

    bl_idname = "CR8_PT_line"
    bl_label = "Server"
    bl_order = 0

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        live = session.connection()
        status = None if live is None else live.status()
        headline, *rest = state_lines(status)
        first = column.row()
        first.alert = in_trouble(status)
        icon = NO_LINE if status is None else ICONS.get(status["phase"], NO_LINE)
        first.label(text=headline, icon=icon)
        column.label(text=rest[0] if rest else "")
        left = None if status is None else countdown.factor(status)
        if left is None:
            column.label(text="")
        else:
            bar.draw(column, left)
        for group in _BUTTONS:
            column.separator()
            for button in group:
                column.operator(button)


class PolicyPanel(_SidebarPanel):
    """Who decides when Blender saves and closes"""

    bl_idname = "CR8_PT_policy"
    bl_label = "Policy"
    bl_order = 1

    def draw(self, _context: Any) -> None:
        column = self.layout.column()
        live = session.connection()
        lines = ("",) * _POLICY_LINES if live is None else policy_lines(live.status())
        for line in lines[:_POLICY_LINES]:
            column.label(text=line)
        for button in _POLICY_BUTTONS:
            column.operator(button)


class DetailsPanel(_SidebarPanel):
    """What will happen, why, and what is being done about it"""

    bl_idname = "CR8_PT_details"
    bl_label = "Details"
    bl_order = 2

    @classmethod
    def poll(cls, _context: Any) -> bool:
        live = session.connection()
        if live is None or live.working_on() is not None:
            return True
        status = live.status()
        told = remarks(status, bpy.data.filepath) or policy_lines(status)[_POLICY_LINES:]
        return in_trouble(status) or bool(told)

    def draw(self, context: Any) -> None:
        column = self.layout.column()
        live = session.connection()
        if live is None:
            # In an outage there is nothing to press here.
            column.operator("cr8.connect")
            column.operator("cr8.show_preferences", icon="PREFERENCES")
            paragraph(context, column, session.idle_reason())
            if configuration.offline():
                network = column.operator("screen.userpref_show", text=_("Allow Online Access"))
                network.section = "SYSTEM"
            return
        status = live.status()
        told = column.column(align=True)
        for remark in remarks(status, bpy.data.filepath):
            paragraph(context, told, remark.text, icon=remark.icon)
        for number, line in enumerate(policy_lines(status)[_POLICY_LINES:]):
            paragraph(context, told, line, icon="BLANK1" if number else "ERROR")
        paragraph(context, told, status["server"], icon="URL")
        command = live.working_on()
        if command is not None:
            paragraph(context, column, _("Working on {}").format(command))


class LastOutagePanel(_SidebarPanel):
    """What the last outage has led to, and what was saved where"""

    bl_idname = "CR8_PT_last_outage"
    bl_label = "Last Outage"
    bl_order = 3

    @classmethod
    def poll(cls, _context: Any) -> bool:
        live = session.connection()
        return live is not None and live.status()["last_outage"] is not None

    def draw(self, context: Any) -> None:
        live = session.connection()
        if live is None:
            return
        column = self.layout.column()
        when, *told = last_outage.sentences(live.status())
        column.label(text=when, icon="TIME")
        lines = column.column(align=True)
        for sentence in told:
            paragraph(context, lines, sentence)


def in_tab(kind: Any) -> Any:
    """The class, for the tab that the add-on has chosen."""
    kind.bl_category = options.current.tab
    return kind


class UnsavedWorkPanel(_SidebarPanel):
    """Work that was not saved in its place, and nobody has opened yet"""

    bl_idname = "CR8_PT_unsaved_work"
    bl_label = "Unsaved Work"
    bl_order = 4

    @classmethod
    def poll(cls, _context: Any) -> bool:
        recovery = session.recovery()
        return recovery is not None and bool(recovery.offers)

    def draw(self, context: Any) -> None:
        recovery = session.recovery()
        for record in () if recovery is None else recovery.offers:
            column = self.layout.column()
            column.label(text=unsaved_work.headline(record), icon="RECOVER_LAST")
            paragraph(context, column, unsaved_work.reason(record))
            name = Path(record.recovery_path).name
            for button in ("cr8.open_recovered", "cr8.decline_recovered"):
                column.operator(button).copy = name


PANELS = (LinePanel, PolicyPanel, DetailsPanel, LastOutagePanel, UnsavedWorkPanel)
