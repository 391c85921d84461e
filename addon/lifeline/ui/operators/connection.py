# SPDX-License-Identifier: GPL-3.0-or-later
"""Beginning and ending the line."""

from __future__ import annotations

from typing import Any

import bpy

from ... import session
from ...errors import AddonError
from ...words import marked
from .confirmation import Confirmed
from .requests import NO_OPTIONS


class Connect(bpy.types.Operator):  # type: ignore[misc]
    """Connect to the server with the settings as they are now; a countdown starts afresh"""

    bl_idname = "cr8.connect"
    bl_label = "Connect"
    bl_options = NO_OPTIONS

    def execute(self, _context: Any) -> set[str]:
        try:
            session.reconnect()
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class Disconnect(bpy.types.Operator, Confirmed):  # type: ignore[misc]
    """Say goodbye to the server: from then on nothing is saved and nothing closes by itself"""

    bl_idname = "cr8.disconnect"
    bl_label = "Disconnect"
    bl_options = NO_OPTIONS
    question = marked("From then on nothing is saved, and nothing closes, by itself.")

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.connection() is not None

    def execute(self, _context: Any) -> set[str]:
        session.disconnect()
        return {"FINISHED"}
