# SPDX-License-Identifier: GPL-3.0-or-later
"""A bar in a panel: Blender's own where it has one, else a field that nobody can change."""

from __future__ import annotations

from typing import Any

import bpy

_PROPERTY = "cr8_countdown"

_factor = 0.0


def draw(layout: Any, factor: float) -> None:
    """factor: from 0 to 1."""
    global _factor
    if hasattr(layout, "progress"):  # since 4.0
        layout.progress(factor=factor)
        return
    _factor = factor
    layout.prop(bpy.context.window_manager, _PROPERTY, text="", slider=True)


def register() -> None:
    """Add the field; it is no part of any file."""
    shown = bpy.props.FloatProperty(
        name="Countdown",
        description="How much of the countdown is left before Blender saves and closes",
        get=lambda _self: _factor * 100,
        min=0.0,
        max=100.0,
        precision=0,
        subtype="PERCENTAGE",
    )
    setattr(bpy.types.WindowManager, _PROPERTY, shown)


def unregister() -> None:
    """Remove the field."""
    delattr(bpy.types.WindowManager, _PROPERTY)
