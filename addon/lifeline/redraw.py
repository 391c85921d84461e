# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Blender to draw again. For the main thread only."""

from __future__ import annotations

from typing import Any

import bpy


def redraw(kind: str) -> None:
    """Every area of this type, with its sidebars, in every window."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                area.tag_redraw()


def redraw_status_bars() -> None:
    """The status bars, which are areas of no screen: they follow the choice of a view layer.

    Not often: each time the 3D views stop what they render. Where one does, the status bar has to
    wait until something else draws it.
    """
    for window in bpy.context.window_manager.windows:
        if not any(_renders(area) for area in window.screen.areas):
            # It stays the same one; being set is what is noticed.
            window.view_layer = window.view_layer


def _renders(area: Any) -> bool:
    return area.type == "VIEW_3D" and area.spaces.active.shading.type in ("MATERIAL", "RENDERED")
