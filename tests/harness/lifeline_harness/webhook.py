"""A webhook that takes notifications by HTTP POST, well or badly, as a test wants it."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from lifeline_harness.waiting import wait_until


@dataclass(frozen=True)
class Answer:
    """What becomes of one request, once it was read.

    status: the answer; None: there is none, and the connection stays open.
    retry_after: seconds that the sender is asked to wait.
    """

    status: HTTPStatus | None = HTTPStatus.OK
    retry_after: int | None = None


ACCEPT = Answer()
BUSY = Answer(HTTPStatus.SERVICE_UNAVAILABLE)
FORBID = Answer(HTTPStatus.FORBIDDEN)
SILENT = Answer(None)


@dataclass(frozen=True)
class Post:
    """A request that was read."""

    answer: Answer
    target: str
    """Path and query."""
    content_type: str
    key: str
    """Its Idempotency-Key."""
    content: dict[str, Any]


class Webhook:
    """The webhook, in threads of this process.

    answers: to the requests in their order; the last one goes to all others.
    gate: requests are answered once it is open.
    """

    def __init__(self, *answers: Answer) -> None:
        self.secret = secrets.token_hex(16)
        self.gate = threading.Event()
        self.gate.set()
        self._answers = list(answers) or [ACCEPT]
        self._posts: list[Post] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="webhook")
        self._thread.start()

    @property
    def url(self) -> str:
        """Where to POST; its query is the secret."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hooks/1?token={self.secret}"

    def posts(self) -> list[Post]:
        """All requests that were read, oldest first."""
        with self._lock:
            return list(self._posts)

    def accepted(self) -> list[dict[str, Any]]:
        """What arrived in those that were answered with 200."""
        return [one.content for one in self.posts() if one.answer.status == HTTPStatus.OK]

    def events(self) -> list[str]:
        """The event of each that was accepted."""
        return [one["event"] for one in self.accepted()]

    def wait_for(self, event: str, timeout: float = 30.0) -> dict[str, Any]:
        """The first that was accepted of this event. Raises WaitError."""

        def found() -> dict[str, Any] | None:
            return next((one for one in self.accepted() if one["event"] == event), None)

        return wait_until(f"{event} at the webhook", found, timeout)

    def wait_for_posts(self, count: int, timeout: float = 30.0) -> list[Post]:
        """The requests, once that many were read. Raises WaitError."""

        def read() -> list[Post] | None:
            posts = self.posts()
            return posts if len(posts) >= count else None

        return wait_until(f"{count} requests at the webhook", read, timeout)

    def close(self) -> None:
        """Break what is open, and stop."""
        self._closing.set()
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Webhook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # For the server's threads

    def take(self, handler: BaseHTTPRequestHandler) -> Answer:
        """Keep a request; the answer that it shall have, when it shall have it."""
        length = int(handler.headers["Content-Length"])
        content = json.loads(handler.rfile.read(length))
        with self._lock:
            answer = self._answers[min(len(self._posts), len(self._answers) - 1)]
            post = Post(
                answer=answer,
                target=handler.path,
                content_type=handler.headers["Content-Type"],
                key=handler.headers["Idempotency-Key"],
                content=content,
            )
            self._posts.append(post)
        self.gate.wait()
        if answer.status is None:
            self._closing.wait()
        return answer


class _Server(ThreadingHTTPServer):
    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        answer = self.server.webhook.take(self)
        if answer.status is None:
            return
        self.send_response(answer.status)
        if answer.retry_after is not None:
            self.send_header("Retry-After", str(answer.retry_after))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_args: Any) -> None:  # noqa: A002 - its name there
        """Nothing: the query is a secret."""
