# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be tried without losing a server: whether a policy can be used, and what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .. import background
from ..errors import AddonError
from ..paragraph import paragraph
from ..redraw import redraw
from ..wording import clock
from ..words import translated as _
from . import picture, rehearsal

if TYPE_CHECKING:
    from .rehearsal import Checked, Rehearsed

# Of the list below the picture; a policy that warns without end has more.
_LINES = 40

_checked: Checked | AddonError | None = None
_rehearsed: Rehearsed | AddonError | None = None
_under_way: set[str] = set()


def forget() -> None:
    """What was tried."""
    global _checked, _rehearsed
    _checked = _rehearsed = None
    _under_way.clear()
    picture.forget()


def check() -> None:
    """Whether the policy that is set can be used; the answer is drawn when it is there."""
    global _checked
    work = rehearsal.check_of(rehearsal.chosen_policy())
    _checked = None
    _under_way.add("check")

    def done(outcome: Checked | AddonError) -> None:
        global _checked
        _checked = outcome
        _under_way.discard("check")
        redraw("PREFERENCES")

    background.run(work, done)


def simulate() -> None:
    """What would happen if the server were lost for good; drawn when it is there."""
    global _rehearsed
    work = rehearsal.rehearsal_of(rehearsal.current_policy(), rehearsal.chosen_settings())
    _rehearsed = None
    _under_way.add("simulation")

    def done(outcome: Rehearsed | AddonError) -> None:
        global _rehearsed
        _rehearsed = outcome
        _under_way.discard("simulation")
        if not isinstance(outcome, AddonError) and not bpy.app.background:
            picture.show(outcome)
        redraw("PREFERENCES")

    background.run(work, done)


def checked() -> Checked | AddonError | None:
    """The last check; None: there was none."""
    return _checked


def rehearsed() -> Rehearsed | AddonError | None:
    """The last simulation; None: there was none."""
    return _rehearsed


def draw_policy(context: Any, column: Any) -> None:
    """Below the policy's file."""
    row = column.row()
    row.operator("cr8.check_policy", icon="CHECKMARK")
    row.operator("cr8.reload_policy", icon="FILE_REFRESH")
    if "check" in _under_way:
        column.label(text=_("The policy is being checked"), icon="SORTTIME")
    elif isinstance(_checked, AddonError):
        paragraph(context, column, str(_checked), icon="ERROR")
    elif _checked is not None:
        icon = "CHECKMARK" if _checked.usable else "ERROR"
        paragraph(context, column, _checked.sentence, icon=icon)


def draw(context: Any, box: Any) -> None:
    """The simulation."""
    box.operator("cr8.simulate_outage", icon="PLAY")
    if "simulation" in _under_way:
        box.label(text=_("The outage is being simulated"), icon="SORTTIME")
        return
    if isinstance(_rehearsed, AddonError):
        paragraph(context, box.column(), str(_rehearsed), icon="ERROR")
    if _rehearsed is None or isinstance(_rehearsed, AddonError):
        return
    box.label(text=_rehearsed.title)
    picture.draw(box)
    column = box.column(align=True)
    lines = _rehearsed.lines
    for at, what in lines[:_LINES]:
        row = column.split(factor=0.1)
        row.label(text=clock(at))
        row.label(text=what)
    if len(lines) > _LINES:
        more = _("and {} more").format(len(lines) - _LINES)
        column.label(text=more)
