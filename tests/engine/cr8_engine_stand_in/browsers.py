"""The namespace of browsers: who is there, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cr8_engine_stand_in import envelopes, extension
from cr8_engine_stand_in.commands import BLENDER
from cr8_engine_stand_in.errors import RefusedError

if TYPE_CHECKING:
    from cr8_engine_stand_in.engine import Engine

BROWSER = "/browser"


@dataclass
class Session:
    """Of a connected browser."""

    username: str
    blend_file_path: str
    blend_object_key: str
    """The project's place in the object store; "": it has none yet."""


class Browsers:
    """The sessions. The name leads to the newest, and to none once that is gone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, Session] = {}
        self._named: dict[str, str] = {}
        engine.sio.on("connect", self._connect, namespace=BROWSER)
        engine.sio.on("disconnect", self._disconnect, namespace=BROWSER)
        if engine.extended:
            engine.sio.on(extension.WANTED, self._wants, namespace=BROWSER)

    def any_of(self, username: str) -> bool:
        return username in self._named

    def session(self, sid: str) -> Session:
        return self._sessions[sid]

    def usernames(self) -> list[str]:
        return sorted(self._named)

    async def tell(self, username: str, event: str, content: dict[str, Any]) -> None:
        """All of this user's."""
        await self._engine.sio.emit(event, content, to=username, namespace=BROWSER)

    async def tell_one(self, sid: str, event: str, content: dict[str, Any]) -> None:
        await self._engine.sio.emit(event, content, to=sid, namespace=BROWSER)

    async def _connect(self, sid: str, _environ: object, auth: object) -> bool:
        try:
            await self._engine.delayed()
            who = self._engine.gate.who(auth)
        except RefusedError as error:
            return self._engine.refused(auth, str(error))
        # In local mode nothing is in the object store.
        key = "" if self._engine.local else who.blend_object_key
        self._sessions[sid] = Session(who.username, who.blend_file_path, key)
        self._named[who.username] = sid
        await self._engine.sio.enter_room(sid, who.username, namespace=BROWSER)
        facts = extension.facts() if self._engine.extended else {}
        data = {"username": who.username, **facts}
        created = envelopes.system("session_created", "connected", "Session created", data)
        await self.tell_one(sid, "session_created", created)
        if self._engine.extended:
            await self._greet(sid, who.username)
        return True

    async def _greet(self, sid: str, username: str) -> None:
        """What its user's Blenders go by, the one that is connected, and the last report."""
        await self.tell_one(sid, extension.SETTINGS, self._engine.settings.facts())
        one = self._engine.registry.of(username)
        if one is not None:
            await self.tell_one(sid, "blender_connected", extension.connected(one))
            since = one.connected_at
            offers = self._engine.registry.last(username, extension.OFFERS, since=since)
            if isinstance(offers, dict):
                await self.tell_one(sid, extension.OFFERS, offers)
        report = self._engine.registry.last(username, extension.REPORT)
        if isinstance(report, dict):
            await self.tell_one(sid, extension.REPORT, report)

    async def _wants(self, sid: str, wanted: object = None) -> None:
        one = self._engine.registry.of(self._sessions[sid].username)
        if one is not None:
            await self._engine.sio.emit(extension.WANTED, wanted, to=one.sid, namespace=BLENDER)

    async def _disconnect(self, sid: str, _reason: str) -> None:
        session = self._sessions.pop(sid, None)
        if session is not None and self._named.get(session.username) == sid:
            del self._named[session.username]
