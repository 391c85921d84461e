# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: one field for each setting that the line knows.

The fields follow the native module's own table, so names, limits and defaults
are written down once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from . import configuration, native
from .errors import NativeMissingError

if TYPE_CHECKING:
    from cr8_lifeline import SettingInfo

_MOST = 1e9  # Blender wants a limit where a setting has none.

_classes: list[Any] = []


def _field(info: SettingInfo) -> Any:
    text: dict[str, Any] = {
        "name": info["name"].replace("_", " ").capitalize(),
        "description": info["about"],
        "default": configuration.field_default(info),
    }
    kind = info["kind"]
    if kind in ("seconds", "count"):
        low = info["minimum"] if info["minimum"] is not None else 0.0
        high = info["maximum"] if info["maximum"] is not None else _MOST
        if kind == "count":
            return bpy.props.IntProperty(**text, min=int(low), max=int(high))
        return bpy.props.FloatProperty(**text, min=low, max=high, precision=2)
    if kind == "switch":
        return bpy.props.BoolProperty(**text)
    if kind == "secret":
        return bpy.props.StringProperty(**text, subtype="PASSWORD")
    if kind == "path":
        subtype = "DIR_PATH" if info["name"].endswith(("_dir", "_store", "_cache")) else "FILE_PATH"
        return bpy.props.StringProperty(**text, subtype=subtype)
    return bpy.props.StringProperty(**text)


def _draw(table: list[SettingInfo]) -> Any:
    def draw(self: Any, _context: Any) -> None:
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        for info in table:
            row = column.row()
            if configuration.in_environment(info):
                row.enabled = False
                row.prop(self, info["name"], text=f"{info['variable']} wins")
            else:
                row.prop(self, info["name"])
        layout.operator("cr8.connect")

    return draw


def _draw_missing(reason: str) -> Any:
    def draw(self: Any, _context: Any) -> None:
        self.layout.label(text=reason, icon="ERROR")

    return draw


def _preferences() -> Any:
    members: dict[str, Any] = {"bl_idname": configuration.ADDON}
    try:
        table = native.settings_table()
    except NativeMissingError as error:
        members["draw"] = _draw_missing(str(error))
    else:
        members["draw"] = _draw(table)
        members["__annotations__"] = {info["name"]: _field(info) for info in table}
    return type("CR8_AddonPreferences", (bpy.types.AddonPreferences,), members)


def register() -> None:
    """Add the preferences."""
    new = _preferences()
    bpy.utils.register_class(new)
    _classes.append(new)


def unregister() -> None:
    """Remove the preferences; what a person has set stays in Blender's own file."""
    while _classes:
        bpy.utils.unregister_class(_classes.pop())
