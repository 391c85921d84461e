# SPDX-License-Identifier: GPL-3.0-or-later
"""A pop-up at each warning of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..words import translated as _
from .menu import ServerMenu
from .text import ICONS, warning

if TYPE_CHECKING:
    from cr8_lifeline import Status

# One of Blender's own, which opens our menu. Not ours: Blender crashes over an open pop-up whose
# operators are unregistered. And whoever is in the middle of a click or a key press (a menu takes
# digits and letters) must not do anything by it that lasts.
_OPEN_MENU = "wm.call_menu"


def show(status: Status, seconds: float) -> None:
    """Over the window that is in use. seconds: until save and close."""
    window = bpy.context.window or next(iter(bpy.context.window_manager.windows), None)
    if window is None or _is_busy(window):
        return

    def draw(self: Any, _context: Any) -> None:
        column = self.layout.column()
        column.label(text=_("Your work is saved first."))
        column.operator(_OPEN_MENU, text=_("What You Can Do")).name = ServerMenu.bl_idname

    with bpy.context.temp_override(window=window):
        bpy.context.window_manager.popup_menu(
            draw, title=warning(status, seconds), icon=ICONS["counting-down"]
        )


def _is_busy(window: Any) -> bool:
    """Somebody drags, paints or types: a pop-up would take the next click; so none."""
    return len(getattr(window, "modal_operators", ())) > 0  # since 4.2
