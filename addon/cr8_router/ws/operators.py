# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine calls when it has launched Blender."""

from __future__ import annotations

import atexit
from typing import Any

import bpy

from .websocket_handler import get_handler


class ConnectWebSocket(bpy.types.Operator):  # type: ignore[misc]
    """Connect to the server that owns this Blender, unless it is connected already"""

    bl_idname = "ws_handler.connect_websocket"
    bl_label = "Connect to Server"

    def execute(self, _context: Any) -> set[str]:
        handler = get_handler()
        if not handler.ready():
            handler.connect()
        if handler.ready():
            return {"FINISHED"}
        self.report({"ERROR"}, handler.idle_reason)
        return {"CANCELLED"}


def register() -> None:
    """Let it be called. A second time does nothing."""
    if not ConnectWebSocket.is_registered:
        bpy.utils.register_class(ConnectWebSocket)
    # As a Python module Blender hangs at exit over a class that is left.
    if getattr(bpy.app, "module", False):
        atexit.register(unregister)


def unregister() -> None:
    """Take it back."""
    atexit.unregister(unregister)
    if ConnectWebSocket.is_registered:
        bpy.utils.unregister_class(ConnectWebSocket)
