# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection between this Blender and the server that owns it, with Lifeline.

Works as an extension (Blender 4.2 and later, `blender_manifest.toml`) and as a
legacy add-on (`bl_info`).
"""

from __future__ import annotations

from .ws import operators
from .ws.websocket_handler import WebSocketHandler, get_handler

bl_info = {
    "name": "CR8 Router",
    "description": "Saves the work and closes Blender when its server is lost",
    "author": "CR8",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "3D View > Sidebar > CR8",
    "category": "System",
}

__all__ = ["bl_info", "handler", "register", "run", "started", "unregister"]


def register() -> None:
    """Show the add-on and connect, if a server is configured. Raises TakenError."""
    get_handler().connect()
    operators.register()


def unregister() -> None:
    """Leave nothing behind."""
    operators.unregister()
    get_handler().disconnect()


def started() -> bool:
    """Whether everything is imported, and the add-on shown."""
    return get_handler().started


def handler() -> WebSocketHandler | None:
    """The handler; None while idle."""
    live = get_handler()
    return live if live.ready() else None


def run() -> None:
    """The loop for background mode: see `Client.wait`."""
    get_handler().wait()
