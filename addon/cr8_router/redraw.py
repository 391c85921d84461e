# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Blender to draw again. For the main thread only."""

import bpy


def redraw(kind: str) -> None:
    """Every area of this type, with its sidebars, in every window."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == kind:
                area.tag_redraw()


def redraw_status_bars() -> None:
    """The status bars, which are areas of no screen: they follow the choice of a view layer."""
    for window in bpy.context.window_manager.windows:
        # It stays the same one; being set is what is noticed.
        window.view_layer = window.view_layer
