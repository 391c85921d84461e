"""What a browser asks for: a Blender, its end, commands, saving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cr8_engine_stand_in import envelopes
from cr8_engine_stand_in.browsers import BROWSER, Session
from cr8_engine_stand_in.errors import LaunchError, StoreError

if TYPE_CHECKING:
    from cr8_engine_stand_in.engine import Engine

Content = dict[str, Any]

SAVE_SECONDS = 1200.0
RENDER_SECONDS = 1800.0
STATUS = "instance_status"
READY = "session_ready"
NO_BLENDER = "Blender is not connected"


class Requests:
    """The events of `/browser` that the real engine knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Which project a user's Blender was launched with; "" one that is not in the store.
        self._open: dict[str, str] = {}
        handlers: dict[str, Callable[[str, Content], Awaitable[None]]] = {
            "browser_ready": self._ready,
            "exit_workspace": self._exit,
            "cancel_launch": self._cancel,
            "command_sent": self._command,
            "agent_query_sent": self._query,
            "save_file": self._save_file,
            "render_image": self._render,
        }
        for event, handler in handlers.items():
            engine.sio.on(event, _with_content(handler), namespace=BROWSER)

    async def _ready(self, sid: str, content: Content) -> None:
        """Launch a Blender, unless the one that is there is the one that is wanted."""
        session = self._engine.browsers.session(sid)
        username, wanted = session.username, session.blend_object_key
        if self._engine.registry.any_of(username):
            now = self._open.get(username)
            # After its own restart an engine does not know what a Blender works on, and leaves it.
            if content.get("recovery") or now is None or now == wanted:
                if self._engine.registry.of(username) is None:
                    return  # the name leads to none of those that are there
                said = "The Blender that was there is connected"
                connected = envelopes.system("blender_connected", "connected", said)
                await self._tell(sid, "blender_connected", connected)
                return
            if now:
                await self._save(username, now)
            await self._end(username)
        await self._status(sid, READY, "launching_blender", "Blender is being launched")
        await self._launch(sid, session)

    async def _launch(self, sid: str, session: Session) -> None:
        if not self._engine.local:
            await self._status(sid, STATUS, "running", "GPU instance running", {"elapsed": 0})
        path = session.blend_file_path
        try:
            if path and not Path(path).exists():
                raise LaunchError(f"there is no file {path}")
            self._engine.start(session.username, path or None, session.blend_object_key)
        except LaunchError as error:
            data = {"reason": "local_failed", "recoverable": True}
            await self._status(sid, STATUS, "error", f"Failed to launch: {error}", data)
            return
        self._open[session.username] = session.blend_object_key

    async def _exit(self, sid: str, _content: Content) -> None:
        await self._end(self._engine.browsers.session(sid).username)

    async def _cancel(self, sid: str, _content: Content) -> None:
        await self._end(self._engine.browsers.session(sid).username)
        data = {"reason": "user_cancelled"}
        await self._status(sid, STATUS, "cancelled", "Launch cancelled", data)

    async def _end(self, username: str) -> None:
        self._open.pop(username, None)
        await self._engine.launcher.terminate(username)

    async def _command(self, sid: str, content: Content) -> None:
        username = self._engine.browsers.session(sid).username
        payload, route = _payload(content), _route(content, "direct")
        message_id = _message_id(content)
        command = payload.get("command")
        if not command:
            said = envelopes.failed(message_id, "VALIDATION_ERROR", "No command was given", route)
            await self._tell(sid, "command_failed", said)
            return
        addon, params = payload.get("addon_id", "cr8_router"), payload.get("params", {})
        sent = self._engine.commands.send(username, addon, command, params, message_id, route)
        if not await sent:
            said = envelopes.failed(message_id, "BLENDER_DISCONNECTED", NO_BLENDER, route)
            await self._tell(sid, "command_failed", said)

    async def _query(self, sid: str, content: Content) -> None:
        """The real one's agent is a language model. Ours takes the message for a command."""
        username = self._engine.browsers.session(sid).username
        payload, message_id = _payload(content), _message_id(content)
        command, params = payload.get("message"), payload.get("context") or {}
        if not command:
            said = envelopes.failed(message_id, "VALIDATION_ERROR", "No message", "agent")
            await self._tell(sid, "agent_error", said)
            return
        # It waits without limit.
        answer = await self._engine.commands.ask(
            username, "cr8_router", command, params, seconds=None, route="agent"
        )
        if answer is None:
            said = envelopes.failed(message_id, "BLENDER_DISCONNECTED", NO_BLENDER, "agent")
            await self._tell(sid, "agent_error", said)
        else:
            data = {"message": "Done", "context": answer}
            said = envelopes.completed(message_id, data, "agent")
            await self._tell(sid, "agent_response_ready", said)

    async def _save_file(self, sid: str, content: Content) -> None:
        session, message_id = self._engine.browsers.session(sid), _message_id(content)
        filename = content.get("filename") or ""
        if filename and not self._engine.local:
            session.blend_object_key = f"{session.username}/{Path(filename).name}"
            self._open[session.username] = session.blend_object_key
        if (reason := self._unsavable(session)) is not None:
            await self._tell(sid, "command_failed", envelopes.failed(message_id, *reason))
            return
        ok, message = await self._save(session.username, session.blend_object_key)
        said = envelopes.completed(message_id, {"ok": ok, "message": message})
        await self._tell(sid, "command_completed", said)

    def _unsavable(self, session: Session) -> tuple[str, str] | None:
        """Why nothing can be put into the store for it: a code and a sentence."""
        if self._engine.local:
            return "AUTH_ERROR", "Could not verify your account to save"
        if not session.blend_object_key:
            return "NO_TARGET", "Choose a name to save this project"
        if self._engine.registry.of(session.username) is None:
            return "BLENDER_DISCONNECTED", NO_BLENDER
        return None

    async def _save(self, username: str, key: str) -> tuple[bool, str]:
        """Have Blender save and upload its parts, and make one file of them."""
        uploaded = await self._uploaded(username, "cr8_router", "save", key, {}, SAVE_SECONDS)
        ok = uploaded.get("ok") is True
        return ok, uploaded.get("message") or ("Saved to cloud" if ok else "Save failed")

    async def _render(self, sid: str, content: Content) -> None:
        session, message_id = self._engine.browsers.session(sid), _message_id(content)
        if (reason := self._unsavable(session)) is not None:
            await self._tell(sid, "command_failed", envelopes.failed(message_id, *reason))
            return
        key = f"{session.username}/renders/{message_id}.png"
        params = {
            "camera": content.get("camera") or None,
            "engine": content.get("engine", "EEVEE"),
            "resolution": content.get("resolution", "hd"),
            "aspect": content.get("aspect", "16:9"),
        }
        uploaded = await self._uploaded(
            session.username, "cr8_render", "render_image", key, params, RENDER_SECONDS
        )
        ok = uploaded.get("ok") is True
        data = {"ok": ok, "message": uploaded.get("message") or ("Done" if ok else "Failed")}
        said = envelopes.completed(message_id, {**data, **({"key": key} if ok else {})})
        await self._tell(sid, "command_completed", said)

    async def _uploaded(
        self, username: str, addon: str, command: str, key: str, params: Content, seconds: float
    ) -> Content:
        """What Blender answers; `ok` only if the store has made one file of the parts."""
        store = self._engine.store
        try:
            multipart = store.begin(key)
        except StoreError:
            return {"ok": False, "message": "Could not start the save"}
        params = {**params, "multipart": multipart}
        answer = await self._engine.commands.ask(username, addon, command, params, seconds=seconds)
        if not answer or not answer.get("ok") or not answer.get("parts"):
            store.abort(multipart["upload_id"])
            return {**(answer or {}), "ok": False}
        try:
            store.complete(multipart["upload_id"], answer["parts"])
        except StoreError:
            return {"ok": False, "message": "Save could not be finalized"}
        return {**answer, "ok": True}

    async def _status(
        self, sid: str, event: str, status: str, message: str, data: Content | None = None
    ) -> None:
        await self._tell(sid, event, envelopes.system(event, status, message, data))

    async def _tell(self, sid: str, event: str, content: Content) -> None:
        await self._engine.browsers.tell_one(sid, event, content)


def _with_content(
    handler: Callable[[str, Content], Awaitable[None]],
) -> Callable[..., Awaitable[None]]:
    """Whatever comes with the event, if anything does."""

    async def handle(sid: str, content: object = None) -> None:
        await handler(sid, content if isinstance(content, dict) else {})

    return handle


def _payload(content: Content) -> Content:
    payload = content.get("payload")
    return payload if isinstance(payload, dict) else {}


def _route(content: Content, usual: str) -> str:
    metadata = content.get("metadata")
    return str(metadata.get("route", usual)) if isinstance(metadata, dict) else usual


def _message_id(content: Content) -> str:
    return str(content.get("message_id") or envelopes.new_id())
