"""One outage from the loss to the quit, each answer's state handed to the next call."""

from __future__ import annotations

import re

from tests.policy.cases import Invoke
from tests.policy.wave import Case, Value, parse

REFUSED = "unreachable"


class Outage:
    """A server that is gone: each attempt fails the moment it begins, each save succeeds."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke
        # (milliseconds since the loss, action)
        self.line: list[tuple[int, Value]] = []

    def call(self, function: str, state: str, now: int, *more: str) -> tuple[str, Value | None]:
        """The next state, as text, and when to call again."""
        words = ", ".join([state, f"{{now: {now}}}", *more])
        text = self._invoke("five-minutes", f"{function}({words})")
        found = re.match(r"\{state: (?P<state>.+), actions: \[", text)
        assert found is not None, text
        decision = parse(text)
        assert isinstance(decision, dict)
        actions = decision["actions"]
        assert isinstance(actions, list)
        self.line += [(now, action) for action in actions]
        return found["state"], decision.get("wake-at")

    def run(self) -> None:
        """From the loss at 0 until quit is asked for."""
        connected = "{phase: connected, seen: 0, memo: []}"
        state, wake = self.call("on-disconnect", connected, 0, "transport-error")
        answered = 0
        while Case("quit") not in [action for _, action in self.line]:
            if answered == len(self.line):
                assert isinstance(wake, Case)
                assert isinstance(wake.payload, int)
                state, wake = self.call("tick", state, wake.payload)
                continue
            now, action = self.line[answered]
            answered += 1
            if action == Case("connect"):
                state, wake = self.call("on-connect-error", state, now, REFUSED)
            elif isinstance(action, Case) and action.name == "save":
                state, wake = self.call("on-saved", state, now, "ok")


def test_five_attempts_five_minutes_save_quit(invoke: Invoke) -> None:
    outage = Outage(invoke)
    outage.run()
    attempts = [now for now, action in outage.line if action == Case("connect")]
    # 2, 4, 8, 10 and 10 s apart; then, without entropy, 8.75 s, after half of that once.
    assert attempts[:5] == [2_000, 6_000, 14_000, 24_000, 34_000]
    assert attempts[5:] == list(range(38_375, 334_000, 8_750))
    others = [entry for entry in outage.line if entry[1] != Case("connect")]
    assert others == [
        (34_000, Case("warn", 300_000)),
        (274_000, Case("warn", 60_000)),
        (324_000, Case("warn", 10_000)),
        (334_000, Case("save", Case("in-place"))),
        (334_000, Case("quit")),
    ]
