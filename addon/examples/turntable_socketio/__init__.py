# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the cube when a server says so: written against python-socketio, before Lifeline."""

from __future__ import annotations

import math
import os
import queue
import time
from typing import Any

import bpy
import socketio

bl_info = {"name": "Turntable", "blender": (3, 4, 0), "version": (1, 0, 0), "category": "Object"}

sio = socketio.Client(reconnection_attempts=5)
waiting: queue.Queue[dict[str, Any]] = queue.Queue()


@sio.on("connect", namespace="/blender")
def on_connect() -> None:
    sio.emit("turntable_ready", {"blender": bpy.app.version_string}, namespace="/blender")


@sio.on("disconnect", namespace="/blender")
def on_disconnect(reason: str) -> None:
    print("Turntable: no server,", reason)


@sio.on("command_received", namespace="/blender")
def on_command(message: dict[str, Any]) -> None:
    waiting.put(message)  # this is another thread than Blender's


def turn(message: dict[str, Any]) -> None:
    degrees = message["params"]["degrees"]
    bpy.data.objects["Cube"].rotation_euler[2] += math.radians(degrees)
    answer = {
        "message_id": message["message_id"],
        "type": "command_completed",
        "payload": {"status": "success", "data": {"turned": degrees}},
        "metadata": {"timestamp": time.time(), "source": "blender", "route": "direct"},
    }
    sio.emit("command_completed", answer, namespace="/blender")


def work() -> float:
    while not waiting.empty():
        try:
            turn(waiting.get())
        except Exception as error:  # or Blender drops the timer
            print("Turntable:", error)
    return 0.1


def register() -> None:
    bpy.app.timers.register(work, persistent=True)
    sio.connect(
        os.environ["TURNTABLE_URL"],
        auth={"username": "turntable", "token": os.environ.get("TURNTABLE_TOKEN", "")},
        namespaces=["/blender"],
        socketio_path="/ws/socket.io/",
        transports=["websocket"],
    )


def unregister() -> None:
    sio.disconnect()
    bpy.app.timers.unregister(work)
