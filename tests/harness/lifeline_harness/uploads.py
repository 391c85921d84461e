"""An object store that takes files by HTTP PUT, well or badly, as a test wants it."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal

from lifeline_harness.waiting import wait_until

CHUNK = 64 * 1024

# Small, so that a body does not lie in the system's buffers while nobody reads it.
RECEIVE_BUFFER = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """What becomes of one request.

    read: take the body and answer with `status`.
    stall: take `after` bytes of the body, and neither read nor answer any more.
    cut: take `after` bytes of the body, and break the connection.
    drop: accept the connection, and neither read nor answer.
    early: answer before the body, of which `after` bytes are taken.
    rate: bytes a second that are taken; None: as they come.
    said, headers: of the answer.
    """

    kind: Literal["read", "stall", "cut", "drop", "early"]
    status: HTTPStatus = HTTPStatus.OK
    rate: float | None = None
    after: int = 0
    said: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


ACCEPT = Answer("read")
REFUSE = Answer("read", HTTPStatus.SERVICE_UNAVAILABLE)
FORBID = Answer("read", HTTPStatus.FORBIDDEN)
DROP = Answer("drop")


def slow(rate: float) -> Answer:
    """Accept, but take `rate` bytes a second."""
    return Answer("read", rate=rate)


def stall(after: int, rate: float | None = None) -> Answer:
    """Neither read on nor answer, once so many bytes of the body were taken."""
    return Answer("stall", after=after, rate=rate)


def cut(after: int, rate: float | None = None) -> Answer:
    """Break the connection, once so many bytes of the body were taken."""
    return Answer("cut", after=after, rate=rate)


@dataclass
class Request:
    """A request as far as it was read; `whole` once all of its body was."""

    answer: Answer
    method: str = ""
    target: str = ""
    """Path and query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False


class Uploads:
    """The store, in threads of this process.

    answers: to the connections in their order, a request each; the last one goes to all others.
    """

    def __init__(self, *answers: Answer) -> None:
        self.secret = secrets.token_hex(16)
        self._answers = list(answers) or [ACCEPT]
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="uploads")
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where to PUT; its query is the secret."""
        return f"http://127.0.0.1:{self.port}/works/job.blend?X-Signature={self.secret}"

    def answer(self, *answers: Answer) -> None:
        """From now on, in the place of those that were given."""
        with self._lock:
            self._answers = list(answers)

    def requests(self) -> list[Request]:
        """Those that have begun, oldest first."""
        with self._lock:
            return list(self._requests)

    def wait_for(self, count: int, timeout: float = 30.0) -> list[Request]:
        """The requests, once that many have begun. Raises WaitError."""

        def begun() -> list[Request] | None:
            found = self.requests()
            return found if len(found) >= count else None

        return wait_until(f"{count} requests at the store", begun, timeout)

    def accepted(self) -> list[Request]:
        """Those that were answered with 200."""
        return [one for one in self.requests() if one.whole and one.answer.status == HTTPStatus.OK]

    def close(self) -> None:
        """Break what is open, and stop."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Uploads:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # For the server's threads

    def begin(self) -> Request:
        """The next request, with the answer that it shall have."""
        with self._lock:
            request = Request(self._answers[min(len(self._requests), len(self._answers) - 1)])
            self._requests.append(request)
            return request

    def pause(self, seconds: float | None = None) -> bool:
        """Wait, None: until the end; True: the store is closed."""
        return self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    def __init__(self, store: Uploads) -> None:
        self.store = store
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # Connections take it over from the socket that listens.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        self.request_seen = self.server.store.begin()
        if self.request_seen.answer.kind == "drop":
            self.server.store.pause()
            return
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_PUT(self) -> None:
        seen, answer = self.request_seen, self.request_seen.answer
        seen.method, seen.target, seen.headers = self.command, self.path, dict(self.headers.items())
        # One request a connection, so that answers can be told in advance.
        self.close_connection = True
        if "Content-Length" not in self.headers:
            self._answer(Answer("read", HTTPStatus.LENGTH_REQUIRED))  # as object stores do
            return
        length = int(self.headers["Content-Length"])
        wanted = length if answer.kind == "read" else min(answer.after, length)
        if answer.kind == "early":
            self._answer(answer)
        seen.whole = self._take(wanted, answer.rate) and wanted == length
        if answer.kind == "stall":
            self.server.store.pause()
        elif answer.kind in ("cut", "early"):
            # Closed with this it is a reset, whatever lies unread.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
        elif seen.whole and answer.kind == "read":
            self._answer(answer)

    def _take(self, count: int, rate: float | None) -> bool:
        """Read so many bytes of the body; False: the other side, or the store, was closed."""
        step = CHUNK if rate is None else max(1, min(CHUNK, int(rate / 10)))
        while count > 0:
            part = self.rfile.read1(min(step, count))
            if not part:
                return False
            self.request_seen.body += part
            count -= len(part)
            if rate is not None and self.server.store.pause(len(part) / rate):
                return False
        return True

    def _answer(self, answer: Answer) -> None:
        said = answer.said.encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(said)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.kind == "read":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *_args: Any) -> None:  # noqa: A002 - its name there
        """Nothing: the query is a secret."""
