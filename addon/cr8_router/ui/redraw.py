# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks Blender to draw the 3D views again."""

import bpy


def redraw_3d_views() -> None:
    """In every window, with their sidebars. For the main thread only."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
