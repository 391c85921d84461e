# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the server which unsaved work there is, and opens what its page asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .wording import utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cr8_lifeline import Event, Status

    from .connection.connection import Connection
    from .recovery import Recovery

OFFERED = "recovery_offers"
"""`{"copies": [{"name", "of", "saved_at", "cause"}]}`, as `Record` has them; `of`: its original."""
WANTED = "open_recovered"
"""From the server: `{"name"}`."""


class Offers:
    """Of one session. For the main thread only."""

    def __init__(self, connection: Connection, recovery: Recovery) -> None:
        self._connection = connection
        self._recovery = recovery
        self._told: list[dict[str, str]] | None = []
        connection.handlers.set(WANTED, self._wanted)

    def look(self, status: Status, events: Sequence[Event]) -> None:
        """Tell what is new, and all of it to a server that has just come."""
        copies = [
            {
                "name": utf8(Path(record.recovery_path).name),
                "of": utf8(record.original_path),
                "saved_at": record.saved_at,
                "cause": record.cause,
            }
            for record in self._recovery.offers
        ]
        if any(event.kind in ("connected", "recovered") for event in events):
            # Who was told of some hears of none, too.
            self._told = None if self._told else []
        if (
            status["connected"]
            and copies != self._told
            and self._connection.emit(OFFERED, {"copies": copies})
        ):
            self._told = copies

    def _wanted(self, wanted: Any = None, *_more: Any) -> None:
        name = wanted.get("name") if isinstance(wanted, dict) else None
        record = self._recovery.find(name) if isinstance(name, str) else None
        if record is not None:
            self._recovery.ask_to_open(record)
