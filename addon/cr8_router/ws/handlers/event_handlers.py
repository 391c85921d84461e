# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on does when something happens. Lifeline calls all of it on the main thread."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ...lifeline import NotConnectedError

if TYPE_CHECKING:
    from ...lifeline import Client


def register_event_handlers(client: Client) -> None:
    """For each session from now on."""

    @client.event
    def connect() -> None:
        status = {"status": "Connected", "message": "Blender registered"}
        with suppress(NotConnectedError):  # it is lost already: that is told next
            client.emit("connection_status", status)

    client.on("disconnect", on_disconnect)


def on_disconnect(reason: str) -> None:
    """Lifeline does what there is to do: it tries to connect, counts down, saves and closes."""
    import logging  # not while the add-on is enabled

    logging.getLogger("cr8_router").info("Disconnected from server: %s", reason)
