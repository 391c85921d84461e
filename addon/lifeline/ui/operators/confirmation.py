# SPDX-License-Identifier: GPL-3.0-or-later
"""A question before what cannot be taken back, which a second click at one place does not answer.

Blender's own (`invoke_confirm`) opens with its answer under the pointer: a double click is enough.
"""

from __future__ import annotations

from typing import Any

import bpy

from ...words import translated as _

# Units of the interface (a button is one high) that the pointer has to move from the button to
# the answer, wherever the window's edge has pushed the question.
_MOVED = 1.0
_UNIT = 20

_asked_at = (0, 0)


class Confirmed:
    """Part of an operator that asks when a person invokes it; a script executes it at once."""

    question = ""
    """What will be; marked for translation."""

    confirmed: bpy.props.BoolProperty(  # type: ignore[valid-type]
        options={"HIDDEN", "SKIP_SAVE"}
    )

    def invoke(self: Any, context: Any, event: Any) -> set[str]:
        global _asked_at
        here = (event.mouse_x, event.mouse_y)
        if not self.confirmed:
            _asked_at = here
            _ask(context, type(self))
            return {"INTERFACE"}
        if "MOUSE" in event.type and not _has_moved(context, here):
            return {"CANCELLED"}
        done: set[str] = self.execute(context)
        return done


def _has_moved(context: Any, here: tuple[int, int]) -> bool:
    enough = _MOVED * _UNIT * context.preferences.system.ui_scale
    return bool(max(abs(now - then) for now, then in zip(here, _asked_at, strict=True)) >= enough)


def _ask(context: Any, kind: Any) -> None:
    def draw(menu: Any, _context: Any) -> None:
        # Blender opens it with the pointer over the first line.
        column = menu.layout.column()
        column.operator_context = "INVOKE_DEFAULT"
        column.label(text=_(kind.question))
        column.label(text="")
        column.operator(kind.bl_idname, icon="CHECKMARK").confirmed = True

    context.window_manager.popup_menu(draw, title=f"{_(kind.bl_label)}?", icon="QUESTION")
