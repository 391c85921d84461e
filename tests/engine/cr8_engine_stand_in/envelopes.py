"""What every message to a browser is wrapped in."""

from __future__ import annotations

import time
import uuid
from typing import Any

Envelope = dict[str, Any]


def system(kind: str, status: str, message: str, data: dict[str, Any] | None = None) -> Envelope:
    """Of the engine itself. Without data there is no `data`."""
    payload: dict[str, Any] = {"status": status, "message": message}
    if data is not None:
        payload["data"] = data
    return _envelope(kind, payload, None, "direct")


def completed(message_id: str, data: dict[str, Any], route: str = "direct") -> Envelope:
    """What was asked for is done, or was tried: `data` tells."""
    kind = "agent_response_ready" if route == "agent" else "command_completed"
    return _envelope(kind, {"status": "success", "data": data}, message_id, route)


def failed(message_id: str, code: str, message: str, route: str = "direct") -> Envelope:
    """What was asked for cannot be done."""
    kind = "agent_error" if route == "agent" else "command_failed"
    error = {
        "code": code,
        "user_message": message,
        "technical_message": message,
        "recovery_suggestions": [],
    }
    return _envelope(kind, {"status": "error", "error": error}, message_id, route)


def new_id() -> str:
    return str(uuid.uuid4())


def _envelope(kind: str, payload: dict[str, Any], message_id: str | None, route: str) -> Envelope:
    return {
        "message_id": message_id or new_id(),
        "type": kind,
        "payload": payload,
        "metadata": {"timestamp": time.time(), "source": "backend", "route": route},
    }
