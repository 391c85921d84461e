"""The snapshot, in every phase."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from lifeline_harness.waiting import wait_until

from tests.python import stub
from tests.python.conftest import MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of

if TYPE_CHECKING:  # of the stub alone
    from cr8_lifeline import Status


def test_the_status_is_what_the_stub_promises_in_every_phase(
    make_line: MakeLine, nowhere: str
) -> None:
    recorder = make_line(nowhere, cleanup_timeout=0.3)
    line = recorder.line
    seen: list[Status] = [line.status()]

    def in_phase(phase: str) -> bool:
        recorder.poll()
        seen.append(line.status())
        return seen[-1]["phase"] == phase

    def wait_for(phase: str) -> None:
        wait_until(f"the phase {phase}", lambda: in_phase(phase), 3.0, step=0.005)

    line.connect()
    for phase in ("reconnecting", "counting-down"):
        wait_for(phase)
    line.hold()
    wait_for("held")
    line.release()
    wait_for("saving")
    save = ticket_of(recorder.until("save"))
    line.claim(save)
    line.saved(save, SAVED)
    wait_for("quitting")
    line.close()
    seen.append(line.status())

    assert [fault for status in seen for fault in stub.faults("Status", status)] == []
    phases = [phase for phase, _ in itertools.groupby(status["phase"] for status in seen)]
    assert phases == [
        "idle",
        "reconnecting",
        "counting-down",
        "held",
        "counting-down",
        "saving",
        "quitting",
        "closed",
    ]
    for status in seen:
        assert (status["remaining"] is not None) == (status["phase"] == "counting-down")


def test_while_connected(connected: Recorder) -> None:
    status = connected.line.status()
    assert stub.faults("Status", status) == []
    assert status["phase"] == "connected"
    assert status["connected"] is True
    assert (status["lost_for"], status["reason"], status["last_error"]) == (None, None, None)
    assert (status["next_attempt"], status["attempting"]) == (None, False)
    assert (status["outages"], status["recoveries"]) == (0, 0)


def test_in_an_outage(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=20, warn_before=[])
    recorder.line.connect()
    recorder.until("countdown")
    recorder.keep_polling(0.2)
    first = recorder.line.status()
    recorder.keep_polling(0.2)
    second = recorder.line.status()
    assert first["reason"] == "never-connected"
    assert "refused" in (first["last_error"] or "")
    assert (first["outages"], first["attempts"], first["cleanup_timeout"]) == (1, 2, 20)
    assert first["attempt"] >= 2
    assert first["lost_for"] is not None
    assert second["lost_for"] is not None
    assert first["remaining"] is not None
    assert second["remaining"] is not None
    passed = second["lost_for"] - first["lost_for"]
    assert 0.15 < passed < 1.5
    assert abs(first["remaining"] - second["remaining"] - passed) < 0.01


def test_the_server_is_shown_without_user_password_and_query(make_line: MakeLine) -> None:
    line = make_line("ws://ann:pw@127.0.0.1:9/live?key=k").line
    assert line.status()["server"] == "ws://127.0.0.1:9/live/socket.io/"
