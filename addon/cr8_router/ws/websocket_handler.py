# SPDX-License-Identifier: GPL-3.0-or-later
"""The handler of the connection, with the names that users of the original know."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..lifeline import Client
from .handlers.event_handlers import register_event_handlers

if TYPE_CHECKING:
    from ..lifeline.connection.connection import Countdown

# `cr8_router`, or `bl_ext.<repository>.cr8_router` as an extension.
_ADDON = __package__.rpartition(".")[0]


class WebSocketHandler(Client):
    """Lifeline's client, with the clean-up as the original calls it."""

    def __init__(self) -> None:
        super().__init__(_ADDON, logger="cr8_router")
        register_event_handlers(self)

    @property
    def server_cleanup_timer(self) -> Countdown | None:
        """The countdown to save and close; None: none runs."""
        return self.countdown

    def start_server_cleanup_timer(self) -> None:
        """Show the countdown, if one runs: it starts by itself, as soon as the policy says so."""
        self.show_countdown()

    def perform_server_cleanup(self) -> None:
        """In an outage: save and close without waiting for the end of the countdown."""
        self.close_now()


@cache
def get_handler() -> WebSocketHandler:
    """The one of this Blender."""
    return WebSocketHandler()
