"""The namespace of Blenders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cr8_engine_stand_in import envelopes, extension
from cr8_engine_stand_in.commands import BLENDER
from cr8_engine_stand_in.errors import RefusedError
from cr8_engine_stand_in.gate import Who

if TYPE_CHECKING:
    from cr8_engine_stand_in.engine import Engine

CONNECTED = "blender_connected"
DISCONNECTED = "blender_disconnected"
ANSWERS = ("command_completed", "command_failed")


class Blenders:
    """What Blenders say, and who of them is let in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.sio.on("connect", self._connect, namespace=BLENDER)
        engine.sio.on("disconnect", self._disconnect, namespace=BLENDER)
        engine.sio.on("*", self._heard, namespace=BLENDER)

    async def _connect(self, sid: str, _environ: object, auth: object) -> bool:
        engine = self._engine
        try:
            who = await self._admitted(auth)
        except RefusedError as error:
            return engine.refused(auth, str(error))
        older = engine.registry.of(who.username) if engine.displacing else None
        one = engine.registry.connected(who.username, sid, who.blend_file_path)
        await engine.sio.enter_room(sid, who.username, namespace=BLENDER)
        said = envelopes.system(CONNECTED, "connected", "Blender is connected")
        told = extension.connected(one) if engine.extended else said
        await engine.browsers.tell(who.username, CONNECTED, told)
        if engine.welcoming:
            await self._welcome(sid)
        if older is not None:
            await engine.sio.disconnect(older.sid, namespace=BLENDER)
        if engine.faults.cutting_off:
            engine.sio.start_background_task(engine.sio.disconnect, sid, namespace=BLENDER)
        return True

    async def _welcome(self, sid: str) -> None:
        """Before the namespace says that it is up: whoever listens only from then on misses it."""
        facts = extension.facts() if self._engine.extended else None
        said = envelopes.system(CONNECTED, "connected", "Blender is registered", facts)
        await self._engine.sio.emit(CONNECTED, said, to=sid, namespace=BLENDER)

    async def _admitted(self, auth: object) -> Who:
        """Raises RefusedError."""
        await self._engine.delayed()
        who = self._engine.gate.who(auth)
        if not (self._engine.without_browser or self._engine.browsers.any_of(who.username)):
            raise RefusedError("no browser of this user is connected")
        return who

    async def _disconnect(self, sid: str, reason: str) -> None:
        gone = self._engine.registry.disconnected(sid, reason)
        if gone is None:
            return
        said = envelopes.system(DISCONNECTED, "disconnected", "Blender is gone", {"reason": reason})
        await self._engine.browsers.tell(gone.username, DISCONNECTED, said)

    async def _heard(self, event: str, sid: str, *data: Any) -> None:
        one = self._engine.registry.by_sid(sid)
        if one is None:
            return  # it was refused, or is on its way out
        content = data[0] if data and isinstance(data[0], dict) else {}
        if event != extension.VIEWPORT:
            self._engine.registry.received(one, event, list(data))
        if event == "registry_update":
            said = {"status": "processed", "message": "the registry is known"}
            await self._engine.sio.emit("registry_update_ack", said, to=sid, namespace=BLENDER)
        elif event in ANSWERS:
            await self._answered(one.username, event, content)
        elif self._engine.extended:
            await self._extended(one.username, sid, event, content)

    async def _answered(self, username: str, event: str, content: dict[str, Any]) -> None:
        if self._engine.commands.answered(content):
            return
        metadata = content.get("metadata")
        route = metadata.get("route", "direct") if isinstance(metadata, dict) else "direct"
        if route == "direct":
            kind = content.get("type")
            name = kind if isinstance(kind, str) else event
            await self._engine.browsers.tell(username, name, content)

    async def _extended(self, username: str, sid: str, event: str, content: dict[str, Any]) -> None:
        if event in (extension.REPORT, extension.OFFERS, extension.VIEWPORT):
            await self._engine.browsers.tell(username, event, content)
        if event == extension.REPORT and self._engine.faults.acknowledging:
            received = {"id": content.get("id")}
            await self._engine.sio.emit(extension.RECEIVED, received, to=sid, namespace=BLENDER)
