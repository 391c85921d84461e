"""What stands before an object store: it refuses large bodies, and fails at times."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from lifeline_harness.uploads import Answer

CHUNK = 1 << 20

# What the tunnel in front of the real engine's store takes at most, in bytes.
LIMIT = 100_000_000

# Not forwarded: each side has its own.
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length")


@dataclass(frozen=True)
class Passed:
    """A request that came by, and its answer; None: there was none."""

    method: str
    target: str
    """Path and query."""
    status: int | None


class Gateway:
    """It forwards requests to a server on this machine, in threads of this process.

    port: of that server. limit: bytes of the longest body.
    """

    def __init__(self, port: int, limit: int = LIMIT) -> None:
        self.behind = port
        self.limit = limit
        self.passed: list[Passed] = []
        self._faults: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway")
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def fail(self, *answers: Answer) -> None:
        """Answer so to the next requests, in their order: `read` and `cut` alone."""
        with self._lock:
            self._faults.extend(answers)

    def statuses(self, method: str) -> list[int | None]:
        """Of the answers to requests of this method, in their order."""
        with self._lock:
            return [one.status for one in self.passed if one.method == method]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # For the server's threads

    def next_fault(self) -> Answer | None:
        with self._lock:
            return self._faults.popleft() if self._faults else None

    def note(self, passed: Passed) -> None:
        with self._lock:
            self.passed.append(passed)


class _Server(ThreadingHTTPServer):
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_PUT(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def do_GET(self) -> None:
        self._pass()

    def do_DELETE(self) -> None:
        self._pass()

    def _pass(self) -> None:
        self.close_connection = True
        gateway = self.server.gateway
        length = int(self.headers.get("Content-Length") or 0)
        fault = gateway.next_fault()
        status: int | None = None
        with contextlib.suppress(ConnectionError):
            if length > gateway.limit:
                # At once, and without reading it.
                status = self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "<html>too large</html>")
            elif fault is not None and fault.kind == "cut":
                list(self._body(min(fault.after, length)))
                # Closed with this it is a reset, whatever lies unread.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            elif fault is not None:
                for _ in self._body(length):
                    pass
                status = self._say(fault.status, fault.said)
            else:
                status = self._forward(length)
        gateway.note(Passed(self.command, self.path, status))

    def _body(self, length: int) -> Iterator[bytes]:
        while length > 0 and (part := self.rfile.read1(min(CHUNK, length))):
            length -= len(part)
            yield part

    def _forward(self, length: int) -> int:
        behind = http.client.HTTPConnection("127.0.0.1", self.server.gateway.behind, timeout=120)
        try:
            # The host is a part of what was signed.
            behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    behind.putheader(name, value)
            behind.putheader("Content-Length", str(length))
            behind.endheaders()
            with contextlib.suppress(ConnectionError):  # whoever refuses does not read on
                for part in self._body(length):
                    behind.send(part)
            answer = behind.getresponse()
            said = answer.read()
        except OSError:
            return self._say(HTTPStatus.BAD_GATEWAY, "<html>Bad gateway</html>")
        finally:
            behind.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self._end(said)
        return answer.status

    def _say(self, status: HTTPStatus, text: str) -> int:
        self.send_response(status)
        self._end(text.encode())
        return int(status)

    def _end(self, said: bytes) -> None:
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *_args: Any) -> None:  # noqa: A002 - its name there
        """Nothing: the query is a secret."""
