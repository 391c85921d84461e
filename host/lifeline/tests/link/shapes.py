"""A server that sends each shape of event that python-socketio has, some of them before it has
accepted the connection: `python shapes.py PORT`. It prints a line once it listens.

Each client that asks for it (`again`) is sent the same again; what becomes of the answers that it
asks for is sent as `answered`.
"""

from __future__ import annotations

import sys
from typing import Any

import socketio
import uvicorn

NAMESPACE = "/blender"
BYTES = b'x\x1e42/blender,["injected",1]'
SHAPES: list[tuple[str, Any]] = [
    ("none", None),
    ("one", {"text": "äöü 🙂\x1e", "list": [1, 2.5, None, True]}),
    ("several", (1, "two", [3], {"four": 4})),
    ("number", 2**64),
    ("text", ""),
    ("list", [1, 2]),
    ("bytes", BYTES),
    ("nested", ({"a": [b"", {"b": BYTES}]}, b"\x00\xff", {"_placeholder": False, "num": 0})),
    ("mock", {"_placeholder": True, "num": 0}),
    ("message", "boo"),
    ("error", ("boo", 1)),
    ("", "no name at all"),
    ("not-json", float("nan")),
    ("no-json-with-bytes", [float("inf"), b"x"]),
    ("surrogate", "\ud800"),
    ("last", 1),
]

server = socketio.AsyncServer(async_mode="asgi", namespaces=[NAMESPACE])


async def send(sid: str) -> None:
    for name, data in SHAPES:
        await server.emit(name, data, to=sid, namespace=NAMESPACE)


@server.on("connect", namespace=NAMESPACE)  # type: ignore[untyped-decorator]
async def connect(sid: str, _environ: object, auth: dict[str, Any]) -> None:
    if auth.get("username") == "ann":
        await send(sid)
    server.start_background_task(ask, sid)


async def ask(sid: str) -> None:
    """Only a client that is connected can answer."""
    while not server.manager.is_connected(sid, NAMESPACE):
        await server.sleep(0.01)
    for name, data in (("ask", (1, b"two")), ("ask-bytes", None), ("ask-nothing", 3)):
        answer = await server.call(name, data, to=sid, namespace=NAMESPACE, timeout=10)
        await server.emit("answered", answer, to=sid, namespace=NAMESPACE)


@server.on("again", namespace=NAMESPACE)  # type: ignore[untyped-decorator]
async def again(sid: str, *data: object) -> None:
    await server.emit("echo", data, to=sid, namespace=NAMESPACE)
    await send(sid)


@server.on("many", namespace=NAMESPACE)  # type: ignore[untyped-decorator]
async def many(sid: str, count: int) -> None:
    for number in range(count):
        await server.emit("n", number, to=sid, namespace=NAMESPACE)


class Server(uvicorn.Server):
    """Says when it listens."""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        print(f'{{"port": {self.config.port}}}', flush=True)


if __name__ == "__main__":
    application = socketio.ASGIApp(server, socketio_path="ws/socket.io")
    port = int(sys.argv[1])
    Server(uvicorn.Config(application, host="127.0.0.1", port=port, log_level="error")).run()
