# SPDX-License-Identifier: GPL-3.0-or-later
"""How the preferences are laid out: sections that fold, and below the policy what it would do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import bpy

from .. import configuration, session, trials
from ..paragraph import paragraph
from ..ui.text import remarks, state_lines
from ..words import translated as _
from . import fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from cr8_lifeline import SettingInfo

# Unfolded at first: what everybody has to fill in.
_ALWAYS_OPEN = "Server"
_FIELD = 0.4


def toggle(section: str) -> str:
    """The name of the property that unfolds a section."""
    return "show_" + "".join(letter if letter.isalnum() else "_" for letter in section.lower())


def sections(table: list[SettingInfo]) -> list[str]:
    """Their titles, in the order of the table."""
    return list(dict.fromkeys(info["section"] for info in table))


def draw(table: list[SettingInfo]) -> Callable[[Any, Any], None]:
    """The draw function for this table."""

    def draw_all(self: Any, context: Any) -> None:
        _line(context, self.layout)
        for section in sections(table):
            of_it = [info for info in table if info["section"] == section]
            _section(context, self, section, of_it)
        trials.draw(context, self.layout.box())

    return draw_all


def draw_missing(reason: str) -> Callable[[Any, Any], None]:
    """The draw function where the native module is missing."""

    def draw_reason(self: Any, context: Any) -> None:
        paragraph(context, self.layout.column(), reason, icon="ERROR")

    return draw_reason


def _line(context: Any, layout: Any) -> None:
    """How the line stands, and how to start it with what is set now.

    The buttons first: below a text that grows they would move.
    """
    buttons = layout.row()
    buttons.operator("cr8.connect")
    buttons.operator("cr8.disconnect")
    told = layout.column(align=True)
    live = session.connection()
    if live is None:
        reason = session.idle_reason() or state_lines(None)[0]
        paragraph(context, told, reason, icon="UNLINKED")
    else:
        status = live.status()
        icon = "LINKED" if status["connected"] else "UNLINKED"
        paragraph(context, told, " — ".join(state_lines(status)), icon=icon)
        for remark in remarks(status, bpy.data.filepath):
            paragraph(context, told, remark.text, icon=remark.icon)
    layout.label(text=_("Settings count from the next connection on: press Connect."), icon="INFO")


def _section(context: Any, preferences: Any, section: str, table: list[SettingInfo]) -> None:
    box = preferences.layout.box()
    name = toggle(section)
    unfolded = section == _ALWAYS_OPEN or getattr(preferences, name)
    title = box.row()
    title.alignment = "LEFT"
    if section == _ALWAYS_OPEN:
        title.label(text=_(section))
    else:
        icon = "DISCLOSURE_TRI_DOWN" if unfolded else "DISCLOSURE_TRI_RIGHT"
        title.prop(preferences, name, text=_(section), icon=icon, emboss=False)
    overridden = sum(configuration.in_environment(info) for info in table)
    if overridden:
        title.label(text=_("({} from the environment)").format(overridden))
    if not unfolded:
        return
    column = box.column()
    column.use_property_split = True
    column.use_property_decorate = False
    for info in table:
        if configuration.in_environment(info):
            _overridden(column, info)
        else:
            column.prop(preferences, info["name"])
        if info["name"] == "policy":
            trials.draw_policy(context, column)
        elif info["name"] == "recovery_dir":
            column.operator("cr8.open_recovery_folder", icon="FILE_FOLDER")


def _overridden(column: Any, info: SettingInfo) -> None:
    """The value that counts: the environment's, not the field's."""
    value = os.environ[info["variable"]].strip()
    if info["kind"] == "secret":
        value = _("set")
    row = column.row()
    row.enabled = False
    split = row.split(factor=_FIELD)
    name = split.row()
    name.alignment = "RIGHT"
    name.label(text=_(fields.labelled(info)))
    split.label(text=f"{value}   ({info['variable']})", icon="LOCKED")
