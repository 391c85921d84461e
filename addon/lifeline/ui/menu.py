# SPDX-License-Identifier: GPL-3.0-or-later
"""File > Server: what is in a menu is found by Blender's search (F3)."""

from __future__ import annotations

from typing import Any

import bpy

# In groups.
ENTRIES = (
    ("cr8.try_now", "cr8.keep_open", "cr8.extend", "cr8.release", "cr8.save_and_close"),
    ("cr8.connect", "cr8.disconnect", "cr8.show_preferences"),
    ("cr8.swap_policy", "cr8.reload_policy", "cr8.revert_policy"),
    ("cr8.check_policy", "cr8.simulate_outage"),
    ("cr8.open_recovered", "cr8.decline_recovered", "cr8.open_recovery_folder"),
    ("cr8.copy_status",),
)


class ServerMenu(bpy.types.Menu):  # type: ignore[misc]
    """The line to the server"""

    bl_idname = "CR8_MT_server"
    bl_label = "Server"

    def draw(self, _context: Any) -> None:
        for number, group in enumerate(ENTRIES):
            if number:
                self.layout.separator()
            for entry in group:
                self.layout.operator(entry)


def _draw(self: Any, _context: Any) -> None:
    self.layout.separator()
    self.layout.menu(ServerMenu.bl_idname, icon="LINKED")


def register() -> None:
    """Add the menu."""
    bpy.utils.register_class(ServerMenu)
    bpy.types.TOPBAR_MT_file.append(_draw)


def unregister() -> None:
    """Remove the menu."""
    bpy.types.TOPBAR_MT_file.remove(_draw)
    bpy.utils.unregister_class(ServerMenu)
