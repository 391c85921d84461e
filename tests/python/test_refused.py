"""A server that refuses is there: that is told apart from one that cannot be reached."""

from __future__ import annotations

import json
from pathlib import Path

from lifeline_harness.waiting import wait_until

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder
from tests.python.server import Server

SAID = "connections are refused"
# Nobody gets that far.
ENDLESS = {"cleanup_timeout": 600.0, "warn_before": []}


def refused(recorder: Recorder) -> str | None:
    return recorder.line.status()["refusal"]


def metric(recorder: Recorder) -> str:
    lines = recorder.line.metrics().splitlines()
    (line,) = [line for line in lines if line.startswith("cr8_lifeline_refused{")]
    return line.rpartition(" ")[2]


def test_the_servers_words_are_told_while_it_refuses_and_no_longer(
    make_line: MakeLine, own_server: Server, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    own_server.refuse(True)
    recorder = make_line(
        own_server.url, username="ann", token=own_server.token, journal=str(journal), **ENDLESS
    )
    recorder.line.connect()
    recorder.until("countdown")
    assert (refused(recorder), metric(recorder)) == (SAID, "1")
    status = recorder.line.status()
    assert (status["phase"], status["reason"]) == ("counting-down", "never-connected")
    assert f"Not connected: the server refuses this Blender: {SAID}" in recorder.log()

    own_server.kill()
    wait_until("it cannot be reached", lambda: refused(recorder) is None, 30.0)
    assert metric(recorder) == "0"
    own_server.start()
    own_server.refuse(True)
    wait_until("it refuses again", lambda: refused(recorder) == SAID, 30.0)
    own_server.refuse(False)
    recorder.until("recovered")
    assert (refused(recorder), metric(recorder)) == (None, "0")
    wait_until("the journal has it", journal.exists, 10.0)
    (entry,) = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert (entry["outcome"], entry["refusal"]) == ("recovered", SAID)


def test_a_status_of_http_is_a_refusal(make_line: MakeLine, own_server: Server) -> None:
    recorder = make_line(f"{own_server.url}/elsewhere", **ENDLESS)
    recorder.line.connect()
    recorder.until("countdown")
    assert (refused(recorder) or "").startswith("HTTP 40")
