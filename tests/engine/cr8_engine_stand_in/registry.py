"""The connected Blenders, and what came from them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KEPT = 500


@dataclass(frozen=True)
class Connection:
    """A connected Blender."""

    username: str
    sid: str
    blend_file_path: str
    connected_at: float
    """Seconds of the monotonic clock, which all processes of a computer share."""


@dataclass
class Registry:
    """Of one name there may be several: it leads to the newest, and to none once that is gone."""

    connections: Counter[str] = field(default_factory=Counter)
    """Accepted connections by user, those that have ended included."""
    refused: int = 0
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """The last events that Blenders sent, oldest first: username, event, data, at."""
    history: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """What happened to connections, oldest first: what, username, reason, at."""
    _by_sid: dict[str, Connection] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Connection]:
        """In the order of their connecting."""
        return iter(self._by_sid.values())

    def of(self, username: str) -> Connection | None:
        """The Blender that the name leads to."""
        return self._by_sid.get(self._named.get(username, ""))

    def by_sid(self, sid: str) -> Connection | None:
        return self._by_sid.get(sid)

    def any_of(self, username: str) -> bool:
        """Whether the name leads to it or not."""
        return any(one.username == username for one in self)

    def connected(self, username: str, sid: str, blend_file_path: str) -> Connection:
        """Enter a Blender; from now on the name leads to it."""
        one = Connection(username, sid, blend_file_path, time.monotonic())
        self._by_sid[sid] = one
        self._named[username] = sid
        self.connections[username] += 1
        self._note("connected", username, None)
        return one

    def disconnected(self, sid: str, reason: str) -> Connection | None:
        """Take a Blender out. None: it was not let in."""
        connection = self._by_sid.pop(sid, None)
        if connection is not None:
            if self._named.get(connection.username) == sid:
                del self._named[connection.username]
            self._note("disconnected", connection.username, reason)
        return connection

    def refuse(self, username: str | None, reason: str) -> None:
        self.refused += 1
        self._note("refused", username, reason)

    def received(self, connection: Connection, event: str, data: list[Any]) -> None:
        """Keep an event from a connected Blender."""
        self.events.append(
            {
                "username": connection.username,
                "event": event,
                "data": data,
                "at": time.monotonic(),
            }
        )

    def last(self, username: str, event: str, since: float = 0.0) -> object:
        """What came with the user's last event of this name; None: none came.

        since: by the monotonic clock.
        """
        for one in reversed(self.events):
            if (one["username"], one["event"]) == (username, event) and one["data"]:
                return one["data"][0] if one["at"] >= since else None
        return None

    def _note(self, what: str, username: str | None, reason: str | None) -> None:
        self.history.append(
            {"what": what, "username": username, "reason": reason, "at": time.monotonic()}
        )
