"""The HTTP side: the status, and the controls for tests."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cr8_engine_stand_in.engine import Engine
from cr8_engine_stand_in.errors import LaunchError, NotConnectedError, RequestError
from cr8_engine_stand_in.line_settings import POLICY_PATH
from cr8_engine_stand_in.pages import Page, Pages
from cr8_engine_stand_in.store import PREFIX

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Control = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

BODY_MAX = 32 * 1024 * 1024


class Web:
    """An ASGI application beside the Socket.IO one."""

    def __init__(self, engine: Engine, pages: Pages, *, test_controls: bool) -> None:
        self._engine = engine
        self._pages = pages
        self._controls: dict[str, Control] = {}
        if test_controls:
            self._controls = {
                "/launch": self._launch,
                "/disconnect": self._disconnect,
                "/engineio-close": self._engineio_close,
                "/emit": self._emit,
                "/refuse": self._refuse,
                "/cut-off": self._cut_off,
                "/delay-connect": self._delay_connect,
                "/acknowledge": self._acknowledge,
            }

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._store(scope, receive, send)
        elif scope["type"] == "http":
            page = self._page(scope["method"], scope["path"])
            if page is None:
                code, answer = await self._answer(scope["method"], scope["path"], receive)
                page = Page("application/json", json.dumps(answer, default=_describe).encode())
            else:
                code = 200
            kind = page.content_type.encode()
            headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": code, "headers": headers})
            await send({"type": "http.response.body", "body": page.body})

    async def _store(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        key = scope["path"].removeprefix(PREFIX)
        query = scope["query_string"]
        answer = await self._engine.store.answer(scope["method"], key, query, receive)
        headers = [(b"etag", f'"{answer.etag}"'.encode())] if answer.etag else []
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    def _page(self, method: str, path: str) -> Page | None:
        if method != "GET":
            return None
        if path == POLICY_PATH:
            policy = self._engine.settings.policy_bytes()
            return None if policy is None else Page("application/wasm", policy)
        return self._pages.find(path)

    async def _answer(self, method: str, path: str, receive: Receive) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("GET", "/status"):
            return 200, self._status()
        control = self._controls.get(path)
        if control is None or method != "POST":
            return 404, {"error": f"no {method} {path} here"}
        try:
            return 200, await control(await _read(receive))
        except NotConnectedError as error:
            return 409, {"error": str(error)}
        except RequestError as error:
            return 400, {"error": str(error)}
        except LaunchError as error:
            return 500, {"error": str(error)}

    def _status(self) -> dict[str, Any]:
        registry = self._engine.registry
        return {
            "blenders": [
                {
                    "username": one.username,
                    "sid": one.sid,
                    "blend_file_path": one.blend_file_path,
                    "connected_at": one.connected_at,
                    "connections": registry.connections[one.username],
                }
                for one in registry
            ],
            "connects": registry.connections.total(),
            "refused": registry.refused,
            "events": list(registry.events),
            "history": list(registry.history),
            "launched": [one.facts() for one in self._engine.launcher.launched],
            "browsers": self._engine.browsers.usernames(),
        }

    async def _launch(self, request: dict[str, Any]) -> dict[str, Any]:
        path = _text(request, "blend_file_path") if request.get("blend_file_path") else None
        return self._engine.launch(_text(request, "username"), path)

    async def _disconnect(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._engine.disconnect(_text(request, "username"))
        return {}

    async def _engineio_close(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._engine.close_engineio(_text(request, "username"))
        return {}

    async def _emit(self, request: dict[str, Any]) -> dict[str, Any]:
        data = request.get("data")
        if request.get("stamped") is True:
            data = {"sent_at": time.monotonic()}
        if "base64" in request:
            data = base64.b64decode(_text(request, "base64"))
        await self._engine.emit(_text(request, "username"), _text(request, "event"), data)
        return {}

    async def _refuse(self, request: dict[str, Any]) -> dict[str, Any]:
        self._engine.faults.refusing = _switch(request)
        return {}

    async def _cut_off(self, request: dict[str, Any]) -> dict[str, Any]:
        self._engine.faults.cutting_off = _switch(request)
        return {}

    async def _acknowledge(self, request: dict[str, Any]) -> dict[str, Any]:
        self._engine.faults.acknowledging = _switch(request)
        return {}

    async def _delay_connect(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds = request.get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise RequestError("seconds must be a number")
        if not (math.isfinite(seconds) and seconds >= 0):
            raise RequestError("seconds must be 0 or more")
        self._engine.faults.connect_delay = float(seconds)
        return {}


async def _read(receive: Receive) -> dict[str, Any]:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_MAX:
            raise RequestError(f"more than {BODY_MAX} bytes")
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise RequestError(f"not JSON: {error}") from error
    if not isinstance(request, dict):
        raise RequestError("not a JSON object")
    return request


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name} must be a string that is not empty")
    return value


def _switch(request: dict[str, Any]) -> bool:
    on = request.get("on")
    if not isinstance(on, bool):
        raise RequestError("on must be true or false")
    return on


def _describe(value: object) -> str:
    """What JSON cannot carry (bytes of a binary event) in words."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else f"a {type(value).__name__}"
