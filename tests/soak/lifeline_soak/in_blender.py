"""The host in a real Blender, with the add-on on its main thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeline_harness.blender import Blender

from lifeline_soak.client import EXTENSION, Call

if TYPE_CHECKING:
    from cr8_lifeline import Status

_LOST = r"Trying to connect\.$"
_CLOSING = r"^\[INFO\] Closing Blender instance$"

_ADDON_SECONDS = 5.0

_CALLS: dict[Call, str] = {
    "hold": "hold()",
    "release": "release()",
    "extend": f"extend({EXTENSION})",
}


class BlenderClient:
    """A Blender that is connected, asked over the harness's channel."""

    def __init__(self, blender: Blender) -> None:
        self.blender = blender
        self.pid = blender.pid

    def status(self) -> Status:
        found: Status = self._handler("status()")
        return found

    def wait(self, what: str, probe: Callable[[Status], bool], timeout: float) -> Status:
        found: list[Status] = []

        def holds() -> bool:
            found[:] = [self.status()]
            return probe(found[0])

        self.blender.wait_alive(what, holds, timeout)
        return found[0]

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)

    def request(self, call: Call) -> None:
        self._handler(_CALLS[call])

    def swap_file(self, file: Path) -> None:
        self._handler(f"swap_policy({str(file)!r})")

    def swap_bytes(self, file: Path) -> None:
        self._handler(f"swap_policy(open({str(file)!r}, 'rb').read())")

    def revert(self) -> None:
        self._handler("revert_policy()")

    def counted(self) -> list[str]:
        told = len(self.blender.lines.matching(_LOST))
        outages = self.status()["outages"]
        if told != outages:
            return [f"the log tells of {told} outages: expected {outages}, as the status counts"]
        return []

    def left_open(self) -> list[str]:
        # The add-on looks a few times a second.
        self.blender.wait_alive(
            "the add-on shows no countdown any more",
            lambda: bool(self._handler("server_cleanup_timer is None")),
            _ADDON_SECONDS,
        )
        if self.blender.lines.matching(_CLOSING):
            return ["the log tells that Blender closes: expected that it stays"]
        return []

    def _handler(self, expression: str) -> Any:
        """What an expression gives, that begins at the add-on's handler."""
        return self.blender.run(f"import cr8_router; result = cr8_router.handler().{expression}")
