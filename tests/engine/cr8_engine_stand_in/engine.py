"""The Socket.IO side: two namespaces, and what they share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import socketio
from socketio.exceptions import ConnectionRefusedError as Refused

from cr8_engine_stand_in import tokens
from cr8_engine_stand_in.blenders import Blenders
from cr8_engine_stand_in.browsers import Browsers
from cr8_engine_stand_in.commands import BLENDER, Commands
from cr8_engine_stand_in.errors import NotConnectedError, RefusedError
from cr8_engine_stand_in.gate import Gate
from cr8_engine_stand_in.launcher import Launcher
from cr8_engine_stand_in.line_settings import LineSettings
from cr8_engine_stand_in.options import Options
from cr8_engine_stand_in.registry import Connection, Registry
from cr8_engine_stand_in.requests import Requests
from cr8_engine_stand_in.store import Store
from cr8_engine_stand_in.survivors import Survivors


@dataclass
class Faults:
    """What the engine does wrong at present, as a test wants it."""

    refusing: bool = False
    cutting_off: bool = False
    connect_delay: float = 0.0
    acknowledging: bool = True


class Engine:
    """All that the server knows and does."""

    def __init__(self, options: Options) -> None:
        self.local = options.local
        self.extended = options.extension
        self.without_browser = options.without_browser
        self.displacing = options.displace
        self.welcoming = options.welcome
        self.faults = Faults()
        self.settings = LineSettings.of_environment()
        self.gate = Gate(options)
        self.store = Store(options.store, options.part_size)
        self.registry = Registry()
        self.launcher = Launcher(
            options.blender,
            options.blender_log_dir,
            Survivors(options.launched),
            options.operator_call,
        )
        self._options = options
        self._server_url = ""
        self.sio: Any = socketio.AsyncServer(
            async_mode="asgi",
            ping_interval=options.ping_interval,
            ping_timeout=options.ping_timeout,
            # None: pages of our own origin only.
            cors_allowed_origins=list(options.allow_origins) or None,
            client_manager=options.redis and socketio.AsyncRedisManager(options.redis),
        )
        self.commands = Commands(self.sio, self.registry)
        self.browsers = Browsers(self)
        Blenders(self)
        Requests(self)

    def listens_at(self, host: str, port: int) -> None:
        """Where it is to be found, as it tells others."""
        self._server_url = f"http://{host}:{port}"
        self.store.server_url = self._server_url

    def launch(self, username: str, blend_file_path: str | None) -> dict[str, Any]:
        """`{"pid": int}`, or `{"rejoined": True}` if the user has a Blender. Raises LaunchError."""
        pid = None if self.registry.of(username) else self.start(username, blend_file_path)
        return {"rejoined": True} if pid is None else {"pid": pid}

    def start(
        self, username: str, blend_file_path: str | None, blend_object_key: str = ""
    ) -> int | None:
        """Start a Blender; its process id. None: the user has one that lives, connected or not.

        Raises LaunchError.
        """
        if self.launcher.alive(username):
            return None
        line = {"WS_URL": self._server_url, "CR8_USERNAME": username}
        if not self.local:
            line["CR8_AUTH_TOKEN"] = self._token(username)
        if blend_object_key and self.store.there:
            line["CR8_SAVE_URL"] = self.store.save_url(blend_object_key)
            line["BLEND_URL"] = self.store.load_url(blend_object_key)
        return self.launcher.launch(username, blend_file_path, line)

    def _token(self, username: str) -> str:
        """For a Blender of this user."""
        options = self._options
        if not options.secret:
            return options.shared_token
        return tokens.mint(options.secret, username, options.token_lifetime)

    async def delayed(self) -> None:
        """Each connection begins with it. Raises RefusedError if everybody is refused."""
        # Also holds up the socket's PONGs: a delay beyond ping interval + time-out ends it.
        await asyncio.sleep(self.faults.connect_delay)
        if self.faults.refusing:
            raise RefusedError("connections are refused")

    def refused(self, auth: object, reason: str) -> bool:
        """What a connect handler returns. The real engine gives no reason to the client.

        Raises socketio's ConnectionRefusedError where reasons are given.
        """
        username = auth.get("username") if isinstance(auth, dict) else None
        self.registry.refuse(username if isinstance(username, str) else None, reason)
        if self._options.say_why:
            raise Refused(reason)
        return False

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
        elsewhere = self._options.redis is not None and self.registry.of(username) is None
        to = username if elsewhere else self._connection(username).sid
        await self.sio.emit(event, data, to=to, namespace=BLENDER)

    def _connection(self, username: str) -> Connection:
        connection = self.registry.of(username)
        if connection is None:
            raise NotConnectedError(f"no Blender of user {username!r} is connected")
        return connection
