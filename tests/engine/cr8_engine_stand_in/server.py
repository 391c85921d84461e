"""Listening: the socket, uvicorn, and the line that says so."""

from __future__ import annotations

import json
import os
import socket
from typing import cast

import socketio
import uvicorn

from cr8_engine_stand_in.engine import Engine
from cr8_engine_stand_in.errors import ListenError
from cr8_engine_stand_in.options import Options
from cr8_engine_stand_in.pages import Pages
from cr8_engine_stand_in.web import Web

PATH = "/ws/socket.io/"

# A client that does not answer our closing handshake holds a stop up for this long at most.
GRACE_SECONDS = 3


class _Announcing(uvicorn.Server):
    """Prints one JSON line on standard output once connections are accepted."""

    def __init__(self, config: uvicorn.Config, port: int) -> None:
        super().__init__(config)
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        line = {"event": "listening", "port": self._port, "pid": os.getpid()}
        print(json.dumps(line), flush=True)


def serve(options: Options) -> None:
    """Serve until a signal ends it. Raises ListenError."""
    listener = _listen(options.host, options.port)
    port = cast(int, listener.getsockname()[1])
    engine = Engine(options)
    engine.listens_at(options.host, port)
    app = socketio.ASGIApp(
        engine.sio,
        other_asgi_app=Web(engine, Pages(options.pages), test_controls=options.test_controls),
        socketio_path=PATH,
    )
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    _Announcing(config, port).run([listener])


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    # A port whose last owner was killed a moment ago is ours at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ListenError(f"cannot listen on {host}:{port}: {error}") from error
    return listener
