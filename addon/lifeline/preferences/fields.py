# SPDX-License-Identifier: GPL-3.0-or-later
"""One field for each setting that the line knows.

The fields follow the native module's own table, so names, units, limits and defaults are written
down once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .. import configuration
from ..words import marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from cr8_lifeline import SettingInfo

_MOST = 1e9  # Blender wants a limit where a setting has none.


_SPELLED = {
    "Server url": "Server URL",
    "Save url": "Save URL",
    "Notify url": "Notify URL",
    "Policy sha256": "Policy SHA-256",
}


def label(info: SettingInfo) -> str:
    """`Retry delay`."""
    name = info["name"].replace("_", " ").capitalize()
    return _SPELLED.get(name, name)


def labelled(info: SettingInfo) -> str:
    """`Retry delay (s)`."""
    unit = info["unit"]
    return f"{label(info)} ({unit})" if unit else label(info)


def _plain(number: float) -> str:
    return f"{number:,.12g}"


def described(info: SettingInfo, translate: Callable[[str], str] = marked) -> str:
    """The sentence, the limits, and the variable that wins: what Blender shows of a field.

    Blender looks for a translation of the whole, so each language has to make the same of it.
    """
    text = translate(info["about"])
    low, high = info["minimum"], info["maximum"]
    if low is not None and high is not None:
        unit = f" {info['unit']}" if info["unit"] else ""
        limits = translate(marked("From {} to {}"))
        text += f". {limits.format(_plain(low), _plain(high))}{unit}"
    variable = translate(marked("Environment: {}")).format(info["variable"])
    # Blender adds the full stop.
    return f"{text}. {variable}"


def toggle() -> Any:
    """Whether a section is unfolded."""
    return bpy.props.BoolProperty(name="Show", description="Show the settings of this section")


def field(info: SettingInfo) -> Any:
    """The field of a setting."""
    text: dict[str, Any] = {
        "name": labelled(info),
        "description": described(info),
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
    if kind == "choice":
        items = [(word, word.capitalize(), "") for word in info["choices"] or ()]
        return bpy.props.EnumProperty(**text, items=items)
    if kind == "secret":
        return bpy.props.StringProperty(**text, subtype="PASSWORD")
    if kind == "path":
        subtype = "DIR_PATH" if info["name"].endswith(("_dir", "_store", "_cache")) else "FILE_PATH"
        return bpy.props.StringProperty(**text, subtype=subtype)
    return bpy.props.StringProperty(**text)
