# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees: a panel in the sidebar, and a text over the 3D view in an outage."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import bpy

from .. import session
from .operators import OPERATORS
from .overlay import Overlay
from .panel import LinePanel, PolicyPanel
from .redraw import redraw_3d_views
from .text import overlay_lines, policy_lines, state_lines

if TYPE_CHECKING:
    from cr8_lifeline import Status

_registered = ExitStack()
_overlay = Overlay()
_shown: tuple[str, ...] = ()


def _refresh(status: Status | None) -> None:
    """Draw again, but only when a text has changed."""
    global _shown
    _overlay.lines = overlay_lines(status)
    shown = (*_overlay.lines, *state_lines(status))
    if status is not None:
        shown += policy_lines(status)
    if shown != _shown:
        _shown = shown
        redraw_3d_views()


def register() -> None:
    """Show the interface."""
    for operator in OPERATORS:
        bpy.utils.register_class(operator)
        _registered.callback(bpy.utils.unregister_class, operator)
    for panel in (LinePanel, PolicyPanel):
        bpy.utils.register_class(panel)
        _registered.callback(bpy.utils.unregister_class, panel)
    _overlay.show()
    _registered.callback(_overlay.hide)
    session.watchers.append(_refresh)
    _registered.callback(session.watchers.remove, _refresh)


def unregister() -> None:
    """Remove the interface."""
    _registered.close()
