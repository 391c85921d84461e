# SPDX-License-Identifier: GPL-3.0-or-later
"""A text in Blender's status bar, which is seen in every workspace."""

from __future__ import annotations

from typing import Any

import bpy

from . import text

line = ""
"""What it says; "" for nothing."""


def _draw(self: Any, _context: Any) -> None:
    if line:
        row = self.layout.row()
        row.alert = True
        row.label(text=line, icon=text.ICONS["counting-down"])


def register() -> None:
    """Show it, before what Blender says there."""
    bpy.types.STATUSBAR_HT_header.prepend(_draw)


def unregister() -> None:
    """Remove it."""
    bpy.types.STATUSBAR_HT_header.remove(_draw)
