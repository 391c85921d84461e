"""A server that refuses, and repeats all that it was told in its reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from websockets.sync.server import ServerConnection, serve

# What of engine.io and Socket.IO is needed here: see their protocol documents.
OPEN = {"sid": "s", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000}
CONNECT = "40/blender,"
CONNECT_ERROR = "44/blender,"

Reason = Callable[[dict[str, str]], object]


@contextmanager
def refusing(reason: Reason) -> Iterator[str]:
    """Its URL. reason: from the client's auth, the payload of the refusal."""

    def talk(connection: ServerConnection) -> None:
        connection.send("0" + json.dumps(OPEN))
        for message in connection:
            assert isinstance(message, str)
            if message.startswith(CONNECT):
                auth = json.loads(message.removeprefix(CONNECT))
                connection.send(CONNECT_ERROR + json.dumps(reason(auth), ensure_ascii=False))

    with serve(talk, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()
