"""A plain python-socketio client, as add-ons and pages of others have it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import pytest
import socketio
from cr8_engine_stand_in import tokens
from socketio.exceptions import ConnectionError as NotConnected

from tests.python.server import Server

WAIT_SECONDS = 20.0
SECRET = "what the engine signs with"  # noqa: S105
USER = "ann"


class Plain:
    """Connected to one namespace; keeps all that it is told.

    auth: None: none is sent.
    """

    def __init__(self, url: str, namespace: str, auth: dict[str, Any] | None) -> None:
        self.heard: list[tuple[str, list[Any]]] = []
        self._url = url
        self._namespace = namespace
        self._auth = auth
        self._at = 0
        self._news = asyncio.Event()
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._keep, namespace=namespace)

    async def _keep(self, event: str, *data: Any) -> None:
        self.heard.append((event, list(data)))
        self._news.set()

    @property
    def connected(self) -> bool:
        return self._namespace in self._client.namespaces

    async def __aenter__(self) -> Plain:
        """Raises socketio's ConnectionError."""
        await self._client.connect(
            self._url,
            auth=self._auth,
            namespaces=[self._namespace],
            socketio_path="/ws/socket.io",
            transports=["websocket"],
            wait_timeout=WAIT_SECONDS,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.disconnect()

    async def emit(self, event: str, data: object = None) -> None:
        await self._client.emit(event, data, namespace=self._namespace)

    async def until(self, event: str, seconds: float = WAIT_SECONDS) -> Any:
        """What came with the next event of this name after the one that was waited for before."""

        async def found() -> Any:
            while True:
                for at in range(self._at, len(self.heard)):
                    if self.heard[at][0] == event:
                        self._at = at + 1
                        return self.heard[at][1][0]
                self._news.clear()
                await self._news.wait()

        try:
            return await asyncio.wait_for(found(), seconds)
        except asyncio.TimeoutError as error:
            raise AssertionError(f"no {event} within {seconds:g} s among {self.heard}") from error

    def names(self) -> list[str]:
        return [event for event, _ in self.heard]


def token(user: str = USER, lifetime: float = 60.0) -> str:
    return tokens.mint(SECRET, user, lifetime)


def blender(server: Server, user: str = USER, **auth: Any) -> Plain:
    given = {"token": token(user), "username": user, "blend_file_path": "", **auth}
    return Plain(server.origin, "/blender", given)


def browser(server: Server, user: str = USER, **auth: Any) -> Plain:
    return Plain(server.origin, "/browser", {"token": token(user), "username": user, **auth})


async def refused(client: Plain) -> str:
    """What it is told."""
    with pytest.raises(NotConnected) as error:
        async with client:
            pass
    return str(error.value)


def assert_envelope(content: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a browser is told comes in one; its payload."""
    assert set(content) == {"message_id", "type", "payload", "metadata"}
    assert content["type"] == kind
    assert set(content["metadata"]) == {"timestamp", "source", "route"}
    payload: dict[str, Any] = content["payload"]
    return payload


def answer(command: dict[str, Any], ok: bool, data: dict[str, Any]) -> dict[str, Any]:
    """What an add-on answers to a command."""
    return {
        "message_id": command["message_id"],
        "type": "command_completed" if ok else "command_failed",
        "payload": {"status": "success" if ok else "error", "data": data},
        "metadata": {"timestamp": 0, "source": "blender", "route": command["metadata"]["route"]},
    }
