"""In a server's place: whoever connects is hung up on."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType


class HangUp:
    """Takes a port for a while. `connected_at`: when somebody came, in monotonic seconds."""

    def __init__(self, port: int) -> None:
        self.connected_at: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._serve, name="hang up")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connected_at.append(time.monotonic())
            connection.close()

    def __enter__(self) -> HangUp:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._listener.close()
        self._thread.join()
