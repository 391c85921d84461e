# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the cube when a server says so. Lifeline saves and closes Blender when that is lost."""

from __future__ import annotations

import math
import os
import time
from typing import Any

import bpy

from .lifeline import NOT_TAKEN, Client

bl_info = {"name": "Turntable", "blender": (3, 4, 0), "version": (1, 0, 0), "category": "Object"}

sio = Client(__package__, online=True, tab="Turntable", reconnection_attempts=5)
turned = 0.0


@sio.on("connect", namespace="/blender")
def on_connect() -> None:
    sio.emit("turntable_ready", {"blender": bpy.app.version_string}, namespace="/blender")


@sio.on("disconnect", namespace="/blender")
def on_disconnect(reason: str) -> None:
    print("Turntable: no server,", reason)


@sio.on("command_received", namespace="/blender")
def turn(message: dict[str, Any]) -> object:
    global turned
    if message["addon_id"] != "turntable":
        return NOT_TAKEN
    degrees = message["params"]["degrees"]
    bpy.data.objects["Cube"].rotation_euler[2] += math.radians(degrees)
    turned += degrees
    answer = {
        "message_id": message["message_id"],
        "type": "command_completed",
        "payload": {"status": "success", "data": {"turned": degrees}},
        "metadata": {"timestamp": time.time(), "source": "blender", "route": "direct"},
    }
    sio.emit("command_completed", answer, namespace="/blender")
    return None


@sio.on_cleanup
def note() -> None:
    bpy.context.scene["turned"] = turned


def register() -> None:
    sio.connect(
        os.environ["TURNTABLE_URL"],
        auth={"username": "turntable", "token": os.environ.get("TURNTABLE_TOKEN", "")},
        namespaces=["/blender"],
        socketio_path="/ws/socket.io/",
        transports=["websocket"],
    )


def unregister() -> None:
    sio.disconnect()
