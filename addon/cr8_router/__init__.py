# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection between this Blender and the server that owns it, with Lifeline.

Works as an extension (Blender 4.2 and later, `blender_manifest.toml`) and as a
legacy add-on (`bl_info`).
"""

from __future__ import annotations

from . import lifeline

bl_info = {
    "name": "CR8 Router",
    "description": "Saves the work and closes Blender when its server is lost",
    "author": "CR8",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > CR8",
    "category": "System",
}

__all__ = ["bl_info", "handler", "register", "run", "started", "unregister"]

register = lifeline.register
unregister = lifeline.unregister
started = lifeline.started
handler = lifeline.handler
run = lifeline.run
