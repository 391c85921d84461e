# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees: panels in the sidebar, and in an outage a text over each 3D view and in the
status bar, and a pop-up at each warning."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import bpy

from .. import session
from ..log import about, logger
from ..redraw import redraw, redraw_status_bars
from . import bar, countdown, last_outage, menu, popup, status_bar
from .operators import OPERATORS
from .overlay import Overlay
from .panel import PANELS, in_tab
from .text import overlay_lines, policy_lines, remarks, state_lines, status_bar_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cr8_lifeline import Event, Status

_registered = ExitStack()
_overlay = Overlay()
_shown: tuple[str, ...] = ()
_last_failure = ""


def _refresh(status: Status | None, events: Sequence[Event]) -> None:
    """Draw again, but only when a text has changed."""
    if bpy.app.background:
        return
    _draw_again(status)
    warned = any(event.kind in ("countdown", "warn") for event in events)
    # Of a countdown that was over before a busy Blender heard of it, nobody needs to know.
    if warned and status is not None and status["remaining"]:
        popup.show(status, status["remaining"])


def _draw_again(status: Status | None) -> None:
    global _shown
    _overlay.lines = overlay_lines(status)
    _overlay.bar = countdown.factor(status) if status is not None else None
    shown = (*_overlay.lines, *state_lines(status))
    if status is not None:
        told = [remark.text for remark in remarks(status, bpy.data.filepath)]
        shown += (*told, *policy_lines(status), *last_outage.sentences(status))
    if shown == _shown:
        return
    _shown = shown
    redraw("VIEW_3D")
    redraw("PREFERENCES")
    line = status_bar_line(status)
    if line != status_bar.line:
        status_bar.line = line
        redraw_status_bars()


def _watch(status: Status | None, events: Sequence[Event]) -> None:
    """What is shown must not be in the way of what is done."""
    global _last_failure
    try:
        _refresh(status, events)
    except Exception as error:
        # The same one comes with each tick.
        if repr(error) != _last_failure:
            _last_failure = repr(error)
            logger.exception("The interface cannot be drawn", extra=about("interface-failed"))


def register() -> None:
    """Show the interface."""
    for kind in (*OPERATORS, *map(in_tab, PANELS)):
        bpy.utils.register_class(kind)
        _registered.callback(bpy.utils.unregister_class, kind)
    for part in (bar, menu, status_bar):
        part.register()
        _registered.callback(part.unregister)
    _overlay.show()
    _registered.callback(_overlay.hide)
    session.watchers.append(_watch)
    _registered.callback(session.watchers.remove, _watch)


def unregister() -> None:
    """Remove the interface."""
    _registered.close()
