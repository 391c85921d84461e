"""What Blender's main thread does with a line: poll it, again and again."""

from __future__ import annotations

import time
from typing import Any

from cr8_lifeline import Lifeline
from cr8_lifeline.events import AnyEvent, Log, Quit, Save
from lifeline_harness.waiting import wait_until

STEP = 0.005

# What stands for a saved file: one that is there, since the host reads it back.
SAVED = __file__


class Recorder:
    """Polls a line, and keeps all that it says. Times in seconds."""

    def __init__(self, line: Lifeline) -> None:
        self.line = line
        self.events: list[AnyEvent] = []
        self._heard = 0

    def poll(self) -> None:
        self.events += self.line.poll()

    def until(self, kind: str, timeout: float = 30.0) -> Any:
        """The next event of this kind after the one that was waited for before."""

        def found() -> AnyEvent | None:
            self.poll()
            for at in range(self._heard, len(self.events)):
                if self.events[at].kind == kind:
                    self._heard = at + 1
                    return self.events[at]
            return None

        return wait_until(f"the event {kind} among {self.events}", found, timeout, step=STEP)

    def keep_polling(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.poll()
            time.sleep(STEP)

    def kinds(self) -> list[str]:
        """Of all events but log lines."""
        return [event.kind for event in self.events if event.kind != "log"]

    def log(self) -> str:
        return "\n".join(event.message for event in self.events if isinstance(event, Log))


def ticket_of(event: Save | Quit) -> int:
    return event.ticket
