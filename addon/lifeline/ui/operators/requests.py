# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can ask of the running line in an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ... import session
from ...words import marked
from .confirmation import Confirmed

if TYPE_CHECKING:
    from ...connection.connection import Connection

# Blender wants a set. In the classes neither is annotated: Blender evaluates what is, one by one.
NO_OPTIONS: set[str] = set()
_NO_PHASE: tuple[str, ...] = ()

# In the journal: a button, or a script that calls the operator.
_BY = "operator"


class LineOperator(bpy.types.Operator):  # type: ignore[misc]
    """Does one thing to the live line, in some of its phases.

    Not among what Blender repeats (Shift R) or undoes: nothing of it is in the file.
    """

    bl_options = NO_OPTIONS
    phases = _NO_PHASE

    @classmethod
    def poll(cls, _context: Any) -> bool:
        live = session.connection()
        return live is not None and live.status()["phase"] in cls.phases

    def execute(self, _context: Any) -> set[str]:
        live = session.connection()
        if live is None:
            return {"CANCELLED"}
        self.act(live)
        return {"FINISHED"}

    def act(self, live: Connection) -> None:
        raise NotImplementedError


class TryNow(LineOperator):
    """Try to connect now, without waiting for the next attempt; the countdown does not change"""

    bl_idname = "cr8.try_now"
    bl_label = "Try Now"
    phases = ("reconnecting", "counting-down", "saving", "held")

    def act(self, live: Connection) -> None:
        live.try_now()


class KeepOpen(LineOperator):
    """Keep Blender open without its server, until you release it or the server is back"""

    bl_idname = "cr8.keep_open"
    bl_label = "Keep Open"
    phases = ("reconnecting", "counting-down", "saving", "quitting")

    def act(self, live: Connection) -> None:
        live.hold(by=_BY)


class Extend(LineOperator):
    """Give the server five more minutes before Blender saves and closes"""

    bl_idname = "cr8.extend"
    bl_label = "Extend 5 Minutes"
    phases = ("reconnecting", "counting-down")

    seconds: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Seconds", description="How much to add", default=300.0, min=1.0, max=86400.0
    )

    def act(self, live: Connection) -> None:
        live.extend(self.seconds, by=_BY)


class Release(LineOperator):
    """Keep Blender open no longer: the countdown starts afresh"""

    bl_idname = "cr8.release"
    bl_label = "Release"
    phases = ("held",)

    def act(self, live: Connection) -> None:
        live.release(by=_BY)


class SaveAndClose(LineOperator, Confirmed):
    """Save the file and close Blender now, without waiting for the server"""

    bl_idname = "cr8.save_and_close"
    bl_label = "Save and Close Now"
    phases = ("reconnecting", "counting-down", "held")
    question = marked("The file is saved, and Blender closes.")

    def act(self, live: Connection) -> None:
        live.close_now(by=_BY)
