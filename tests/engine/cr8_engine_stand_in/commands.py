"""Commands to Blenders, and who waits for the answers."""

from __future__ import annotations

import asyncio
from typing import Any

from cr8_engine_stand_in import envelopes
from cr8_engine_stand_in.registry import Registry

BLENDER = "/blender"


class Commands:
    """Sends commands to whom a name leads to."""

    def __init__(self, sio: Any, registry: Registry) -> None:
        self._sio = sio
        self._registry = registry
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def send(
        self,
        username: str,
        addon_id: str,
        command: str,
        params: dict[str, Any],
        message_id: str,
        route: str = "direct",
    ) -> bool:
        """False: the name leads to no Blender."""
        one = self._registry.of(username)
        if one is None:
            return False
        content = {
            "type": "addon_command",
            "addon_id": addon_id,
            "command": command,
            "params": params,
            "message_id": message_id,
            "metadata": {"route": route},
        }
        await self._sio.emit("command_received", content, to=one.sid, namespace=BLENDER)
        return True

    async def ask(
        self,
        username: str,
        addon_id: str,
        command: str,
        params: dict[str, Any],
        *,
        seconds: float | None,
        route: str = "direct",
    ) -> dict[str, Any] | None:
        """What the answer holds; {} if it holds nothing, as that of a failed command may.

        None: there is no Blender, or no answer within so many seconds (None: however long).
        """
        message_id = envelopes.new_id()
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = answer
        try:
            if not await self.send(username, addon_id, command, params, message_id, route):
                return None
            return await asyncio.wait_for(answer, seconds)
        except asyncio.TimeoutError:
            return None
        finally:
            del self._waiting[message_id]

    def answered(self, content: dict[str, Any]) -> bool:
        """An answer has come, good or bad: whoever waits has it. False: nobody waits for it."""
        waiting = self._waiting.get(str(content.get("message_id")))
        if waiting is None or waiting.done():
            return False
        payload = content.get("payload")
        data = payload.get("data") if isinstance(payload, dict) else None
        waiting.set_result(data if isinstance(data, dict) else {})
        return True
