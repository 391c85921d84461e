# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences, and what can be tried out there: a policy, an outage."""

from __future__ import annotations

from functools import cache
from typing import Any

import bpy

from .. import native, options, trials
from ..errors import NativeMissingError
from . import fields, layout

_classes: list[Any] = []


@cache
def _fields() -> dict[str, Any]:
    table = native.settings_table()
    return {
        **{info["name"]: fields.field(info) for info in table},
        **{layout.toggle(section): fields.toggle() for section in layout.sections(table)},
    }


def prepare() -> None:
    """Make what registering needs; on whatever thread. Raises NativeMissingError."""
    _fields()


def _preferences() -> Any:
    members: dict[str, Any] = {"bl_idname": options.current.addon}
    try:
        members["__annotations__"] = dict(_fields())
        members["draw"] = layout.draw(native.settings_table())
    except NativeMissingError as error:
        members["draw"] = layout.draw_missing(str(error))
    return type("CR8_AddonPreferences", (bpy.types.AddonPreferences,), members)


def _has_own() -> bool:
    """Blender knows one class for each add-on: a second would take the place of the first."""
    return any(
        kind.is_registered and getattr(kind, "bl_idname", "") == options.current.addon
        for kind in bpy.types.AddonPreferences.__subclasses__()
    )


def register() -> None:
    """Add the preferences, unless the add-on has none, or a class of its own for them."""
    if not options.current.addon or _has_own():
        return
    new = _preferences()
    bpy.utils.register_class(new)
    _classes.append(new)


def unregister() -> None:
    """Remove the preferences; what a person has set stays in Blender's own file."""
    trials.forget()
    while _classes:
        bpy.utils.unregister_class(_classes.pop())
