"""The Socket.IO side: two namespaces, a token check, one Blender per user."""

from __future__ import annotations

import asyncio
import hmac
from typing import Any, NamedTuple

import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from cr8_engine_stand_in.errors import LaunchError, NotConnectedError
from cr8_engine_stand_in.launcher import Launcher
from cr8_engine_stand_in.line_settings import LineSettings
from cr8_engine_stand_in.options import Options
from cr8_engine_stand_in.registry import Connection, Registry
from cr8_engine_stand_in.survivors import Survivors

BLENDER = "/blender"
BROWSER = "/browser"

# A Blender's account of a clean-up, sent until we say that we have it.
REPORT = "cleanup_report"
RECEIVED = "cleanup_report_received"
# A picture of what Blender shows: handed on, and not kept.
VIEWPORT = "viewport"


class _Auth(NamedTuple):
    """What a client says of itself; "" for what is missing or not a string."""

    token: str
    username: str
    blend_file_path: str

    @classmethod
    def of(cls, auth: object) -> _Auth:
        facts = auth if isinstance(auth, dict) else {}
        given = (facts.get(name) for name in cls._fields)
        return cls(*(value if isinstance(value, str) else "" for value in given))


class Engine:
    """All that the server knows and does. `server_url` is set once it listens."""

    def __init__(self, options: Options) -> None:
        self.server_url = ""
        self.registry = Registry()
        self.launcher = Launcher(
            options.blender, options.blender_log_dir, options.token, Survivors(options.launched)
        )
        self.settings = LineSettings.of_environment()
        self.refusing = False
        self.cutting_off = False
        self.connect_delay = 0.0
        self.acknowledging = True
        self._shared = options.redis is not None
        self._token = options.token.encode()
        self._browsers: dict[str, str] = {}  # sid -> username
        self.sio: Any = socketio.AsyncServer(
            async_mode="asgi",
            ping_interval=options.ping_interval,
            ping_timeout=options.ping_timeout,
            # None: pages of our own origin only.
            cors_allowed_origins=list(options.allow_origins) or None,
            client_manager=options.redis and socketio.AsyncRedisManager(options.redis),
        )
        self.sio.on("connect", self._blender_connect, namespace=BLENDER)
        self.sio.on("disconnect", self._blender_disconnect, namespace=BLENDER)
        self.sio.on("*", self._blender_event, namespace=BLENDER)
        self.sio.on("connect", self._browser_connect, namespace=BROWSER)
        self.sio.on("disconnect", self._browser_disconnect, namespace=BROWSER)
        self.sio.on("launch_blender", self._browser_launch, namespace=BROWSER)

    def launch(self, username: str, blend_file_path: str | None) -> dict[str, Any]:
        """`{"pid": int}`, or `{"rejoined": True}` if the user has a Blender. Raises LaunchError."""
        if self.registry.of(username) or self.launcher.alive(username):
            return {"rejoined": True}
        return {"pid": self.launcher.launch(username, blend_file_path, self.server_url)}

    async def disconnect(self, username: str) -> None:
        """Say goodbye in the namespace; the engine.io socket stays. Raises NotConnectedError."""
        await self.sio.disconnect(self._connection(username).sid, namespace=BLENDER)

    async def close_engineio(self, username: str) -> None:
        """Send an engine.io CLOSE and nothing after it; the websocket stays open.

        Raises NotConnectedError.
        """
        sid = self._connection(username).sid
        await self.sio.eio.disconnect(self.sio.manager.eio_sid_from_sid(sid, BLENDER))

    async def emit(self, username: str, event: str, data: object) -> None:
        """Send an event to a Blender; data None: without data.

        Raises NotConnectedError, unless it may be at another engine.
        """
        if not self._shared or self.registry.of(username):
            to = self._connection(username).sid
        else:
            to = username
        await self.sio.emit(event, data, to=to, namespace=BLENDER)

    def _connection(self, username: str) -> Connection:
        connection = self.registry.of(username)
        if connection is None:
            raise NotConnectedError(f"no Blender of user {username!r} is connected")
        return connection

    async def _admit(self, auth: object) -> _Auth:
        """Who is here, if welcome. Raises socketio's ConnectionRefusedError."""
        # Also holds up the socket's PONGs: a delay beyond ping interval + time-out ends it.
        await asyncio.sleep(self.connect_delay)
        who = _Auth.of(auth)
        if self.refusing:
            reason = "connections are refused"
        elif not hmac.compare_digest(who.token.encode(errors="replace"), self._token):
            reason = "authentication failed: wrong token"
        elif not who.username:
            reason = "authentication failed: no username"
        else:
            return who
        self.registry.refuse(who.username or None, reason)
        raise Refused(reason)

    async def _blender_connect(self, sid: str, _environ: object, auth: object) -> None:
        who = await self._admit(auth)
        older = self.registry.connected(who.username, sid, who.blend_file_path)
        if older is not None:
            await self.sio.disconnect(older.sid, namespace=BLENDER)
        await self.sio.enter_room(sid, who.username, namespace=BLENDER)
        one = self._connection(who.username)
        await self._tell_browsers("blender_connected", _blender(one))
        if self.cutting_off:
            self.sio.start_background_task(self.sio.disconnect, sid, namespace=BLENDER)

    async def _blender_disconnect(self, sid: str, reason: str) -> None:
        gone = self.registry.disconnected(sid, reason)
        if gone is not None:
            await self._tell_browsers(
                "blender_disconnected", {"username": gone.username, "reason": reason}
            )

    async def _blender_event(self, event: str, sid: str, *data: Any) -> None:
        one = self.registry.by_sid(sid)
        if one is None:
            return  # from a replaced one
        content = data[0] if data and isinstance(data[0], dict) else {}
        if event in (REPORT, VIEWPORT):
            await self.sio.emit(event, content, to=one.username, namespace=BROWSER)
        if event != VIEWPORT:
            self.registry.received(one, event, list(data))
        if event == REPORT and self.acknowledging:
            await self.sio.emit(RECEIVED, {"id": content.get("id")}, to=sid, namespace=BLENDER)

    async def _browser_connect(self, sid: str, _environ: object, auth: object) -> None:
        username = (await self._admit(auth)).username
        self._browsers[sid] = username
        await self.sio.enter_room(sid, username, namespace=BROWSER)
        await self._greet(sid, username)

    async def _greet(self, sid: str, username: str) -> None:
        """Tell a browser what its user's Blenders go by, and of the one that is connected."""
        facts = self.settings.facts()
        await self.sio.emit("lifeline_settings", facts, to=sid, namespace=BROWSER)
        one = self.registry.of(username)
        if one is not None:
            await self.sio.emit("blender_connected", _blender(one), to=sid, namespace=BROWSER)
        report = self.registry.last(username, REPORT)
        if report is not None:
            await self.sio.emit(REPORT, report, to=sid, namespace=BROWSER)

    async def _browser_disconnect(self, sid: str, _reason: str) -> None:
        self._browsers.pop(sid, None)

    async def _browser_launch(self, sid: str, request: object = None) -> dict[str, Any]:
        wanted = request if isinstance(request, dict) else {}
        username = self._browsers[sid]
        path = wanted.get("blend_file_path")
        if wanted.get("username", username) != username:
            return {"error": "a browser may launch its own user's Blender only"}
        if path is not None and not isinstance(path, str):
            return {"error": "blend_file_path is not a string"}
        try:
            return self.launch(username, path or None)
        except LaunchError as error:
            return {"error": str(error)}

    async def _tell_browsers(self, event: str, data: dict[str, Any]) -> None:
        await self.sio.emit(event, data, to=data["username"], namespace=BROWSER)


def _blender(one: Connection) -> dict[str, Any]:
    return {"username": one.username, "blend_file_path": one.blend_file_path}
