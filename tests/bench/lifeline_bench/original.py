"""What the original add-on does in Blender: python-socketio's client, and a timer that drains a
queue. Snippets for `Blender.run`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CONSTRUCTION = """
import socketio
client = socketio.Client(
    reconnection=True, reconnection_attempts=5, reconnection_delay=2, reconnection_delay_max=10
)
"""

_CONNECTED = (
    """
import os, queue, sys, time
sys.path.insert(0, {packages!r})
"""
    + CONSTRUCTION
    + """
import builtins
builtins.client, builtins.waiting, builtins.waits = client, queue.Queue(), []

@client.on("beat", namespace="/blender")
def on_beat(data):
    builtins.waiting.put(data)

client.connect(
    os.environ["WS_URL"],
    auth={{"token": os.environ["CR8_AUTH_TOKEN"], "username": os.environ["CR8_USERNAME"],
           "blend_file_path": bpy.data.filepath}},
    namespaces=["/blender"],
    socketio_path="/ws/socket.io",
    transports=["websocket"],
)
"""
)

_DRAIN = """
def handle(data):
    builtins.waits.append(time.monotonic() - data["sent_at"])

handled_at = time.monotonic()

def drain():
    global handled_at
    while True:
        try:
            data = builtins.waiting.get_nowait()
        except queue.Empty:
            break
        handle(data)
        handled_at = time.monotonic()
    return {interval}

bpy.app.timers.register(drain, persistent=True)
"""


@dataclass(frozen=True)
class Drain:
    """How often the original looks into its queue: in words (pace), and
    interval: seconds, as Python source."""

    pace: str
    interval: str

    @property
    def name(self) -> str:
        return f"python-socketio, drained {self.pace}"


NEWEST = Drain("every 16 ms", "0.016")
EARLIER = Drain(
    "10 times a second, once when idle",
    "0.1 if time.monotonic() - handled_at < 5 else 1.0",
)


def connect(packages: Path) -> str:
    """The client connected, as the user of the environment; `beat` events go into its queue."""
    return _CONNECTED.format(packages=str(packages))


def connect_and_drain(packages: Path, drain: Drain) -> str:
    """The same, with the timer; `builtins.waits` has how long each event took to its handler."""
    # One piece of source: the timer's names are the snippet's.
    return connect(packages) + _DRAIN.format(interval=drain.interval)
