"""The host in this very process, with nobody but us on its main thread."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cr8_lifeline import Lifeline
from cr8_lifeline.events import AnyEvent, Close, Log, Quit, Save, ServerEvent
from lifeline_harness.errors import WaitError
from lifeline_harness.waiting import wait_until

from lifeline_soak.client import EXTENSION, Call
from lifeline_soak.errors import ViolationError
from lifeline_soak.log import CycleLog

if TYPE_CHECKING:
    from cr8_lifeline import Status

STEP = 0.01
BY = "soak"


class PlainClient:
    """A line, and its main thread.

    Asked to save, it saves at once, unless `answering` is off: then `asked` holds the ticket.
    It never closes, so it claims no quit. saved: a file that stands for what is saved.
    """

    def __init__(self, settings: Mapping[str, object], saved: Path, log: CycleLog) -> None:
        self.pid = os.getpid()
        self.answering = True
        self.asked: dict[Literal["save", "quit"], int] = {}
        self._line = Lifeline(settings, environ={})
        self._saved = saved
        self._log = log
        self._told: Counter[str] = Counter()
        self._tickets: list[int] = []
        self._line.connect()

    def status(self) -> Status:
        for event in self._line.poll():
            self._hear(event)
        return self._line.status()

    def wait(self, what: str, probe: Callable[[Status], bool], timeout: float) -> Status:
        found: list[Status] = []

        def holds() -> bool:
            found[:] = [self.status()]
            return probe(found[0])

        try:
            wait_until(what, holds, timeout, step=STEP)
        except WaitError as error:
            raise WaitError(f"{error}; found {found[0]}") from error
        return found[0]

    def pass_time(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.status()
            time.sleep(STEP)

    def request(self, call: Call) -> None:
        if call == "hold":
            self._line.hold(by=BY)
        elif call == "release":
            self._line.release(by=BY)
        else:
            self._line.extend(EXTENSION, by=BY)

    def swap_file(self, file: Path) -> None:
        self._line.swap_policy(file)

    def swap_bytes(self, file: Path) -> None:
        self._line.swap_policy(file.read_bytes())

    def revert(self) -> None:
        self._line.revert_policy()

    def claim(self, ticket: int) -> bool:
        stands = self._line.claim(ticket)
        self._log(f"claim of ticket {ticket}: {stands}")
        return stands

    def answer(self, ticket: int, *, ok: bool) -> None:
        """Of a claimed save."""
        self._log(f"ticket {ticket}: {'saved' if ok else 'not saved'}")
        if ok:
            self._line.saved(ticket, self._saved)
        else:
            self._line.save_failed(ticket, ["the soak wants it so"])

    def counted(self) -> list[str]:
        status = self._line.status()
        pairs = [("lost", status["outages"]), ("recovered", status["recoveries"])]
        return [
            f"{kind} was told {self._told[kind]} times: expected {number}, as the status counts"
            for kind, number in pairs
            if self._told[kind] != number
        ]

    def left_open(self) -> list[str]:
        tickets, self._tickets = self._tickets, []
        self.asked.clear()
        return [
            f"ticket {ticket} could still be claimed: expected that it was withdrawn"
            for ticket in tickets
            if self._line.claim(ticket)
        ]

    def close(self) -> None:
        """Raises ViolationError."""
        if not self._line.close():
            raise ViolationError(["the line has not ended: expected that it does within 2 s"])

    def _hear(self, event: AnyEvent) -> None:
        self._told[event.kind] += 1
        self._log(f"host: {_words(event)}")
        match event:
            case Close():
                raise ViolationError(
                    ["Blender was told to close: expected that nobody claims a quit"]
                )
            case Quit(ticket):
                self._tickets.append(ticket)
                self.asked["quit"] = ticket
            case Save(ticket):
                self._tickets.append(ticket)
                if not self.answering:
                    self.asked["save"] = ticket
                elif self.claim(ticket):
                    self.answer(ticket, ok=True)


def _words(event: AnyEvent) -> str:
    match event:
        case Log(level, _, message):
            return f"[{level}] {message}"
        case ServerEvent(name):
            return f"{event.kind} {name}"
    given = [getattr(event, field) for field in event.__match_args__]
    return " ".join([event.kind, *(str(one) for one in given if one is not None)])
