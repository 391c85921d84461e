# SPDX-License-Identifier: GPL-3.0-or-later
"""A pop-up at each warning of the policy."""

from __future__ import annotations

from typing import Any

import bpy

from ..words import translated as _
from .text import ICONS, warning

# Whoever is in the middle of a click or a key press (a menu takes digits and letters) must not
# close Blender by it, nor keep it open for good. The first one lies below the pointer.
_HARMLESS = ("cr8.try_now", "cr8.extend")


def show(seconds: float) -> None:
    """Over the window that is in use. seconds: until save and close."""
    window = bpy.context.window or next(iter(bpy.context.window_manager.windows), None)
    if window is None or _is_busy(window):
        return

    def draw(self: Any, _context: Any) -> None:
        column = self.layout.column()
        column.label(text=_("Your work is saved first."))
        for button in _HARMLESS:
            column.operator(button)
        column.label(text=_("Keep Open is in the sidebar (N) > CR8."))

    with bpy.context.temp_override(window=window):
        bpy.context.window_manager.popup_menu(
            draw, title=warning(seconds), icon=ICONS["counting-down"]
        )


def _is_busy(window: Any) -> bool:
    """Somebody drags, paints or types: a pop-up would take the next click; so none."""
    return len(getattr(window, "modal_operators", ())) > 0  # since 4.2
