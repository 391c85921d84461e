"""What an administrator watches, read as Prometheus reads it."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cr8_lifeline
import pytest
from cr8_lifeline import Lifeline
from lifeline_harness.hostile import hostile
from lifeline_harness.uploads import ACCEPT, FORBID, Answer, Uploads
from lifeline_harness.waiting import wait_until
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from tests.python.conftest import COMPRESSED, MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<kind>\w+) \| (?P<labels>[^|]*)\| [^|]+ \|$", re.M)
PREFIX = "cr8_lifeline_"
STATE = PREFIX + "state"


class Series(NamedTuple):
    """What a value is of."""

    name: str
    labels: frozenset[tuple[str, str]]


class Metrics(dict[Series, float]):
    """Every value there is, of one user."""

    def __init__(self, families: Iterable[Metric]) -> None:
        samples = [sample for family in families for sample in family.samples]
        (self.username,) = {sample.labels.pop("username", None) for sample in samples}
        for one in samples:
            if "le" in one.labels:
                # The two formats write the bounds of buckets differently.
                one.labels["le"] = str(float(one.labels["le"]))
        super().__init__(
            (Series(one.name, frozenset(one.labels.items())), one.value) for one in samples
        )
        assert len(self) == len(samples), "a series is told twice"

    def of(self, name: str, /, **labels: str) -> float:
        return self[Series(PREFIX + name, frozenset(labels.items()))]

    def state(self) -> str:
        states = {dict(one.labels)[STATE]: on for one, on in self.items() if one.name == STATE}
        (state,) = [state for state, on in states.items() if on == 1]
        assert sorted(states.values()) == [0] * 7 + [1]
        return state


def families_of(line: Lifeline) -> list[Metric]:
    text = line.metrics()
    assert text.endswith("\n# EOF\n")
    return list(openmetrics(text))  # type: ignore[no-untyped-call]


def metrics_of(line: Lifeline) -> Metrics:
    return Metrics(families_of(line))


def metrics_in(file: Path) -> Metrics:
    return Metrics(prometheus(file.read_text()))


def wait_for_state(file: Path, state: str) -> Metrics:
    def found() -> Metrics | None:
        metrics = metrics_in(file) if file.exists() else None
        return metrics if metrics is not None and metrics.state() == state else None

    return wait_until(f"the state {state} in the file", found, 30.0)


def save(recorder: Recorder, path: str = SAVED) -> None:
    """Answer the save that was asked for last."""
    ticket = ticket_of(recorder.until("save"))
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, path)


def fail_to_save(recorder: Recorder) -> None:
    ticket = ticket_of(recorder.until("save"))
    assert recorder.line.claim(ticket)
    recorder.line.save_failed(ticket, ["a.blend: no space left on device"])


def close(recorder: Recorder) -> None:
    """As Blender does that is asked to quit."""
    assert recorder.line.claim(ticket_of(recorder.until("quit")))
    recorder.until("close")


def test_a_whole_outage(make_line: MakeLine, own_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "blender.prom"
    recorder = make_line(
        own_server.url, username="ann", token=own_server.token, metrics_file=str(file)
    )
    line = recorder.line
    before = metrics_of(line)
    assert (before.state(), before.of("outages_total")) == ("idle", 0)
    line.connect()
    recorder.until("connected")
    wait_for_state(file, "connected")
    wait_until(
        "the attempt in the file",
        lambda: metrics_in(file).of("attempts_total", outcome="connected") == 1,
        30.0,
    )
    own_server.kill()
    recorder.until("countdown")
    save(recorder)
    close(recorder)
    metrics = metrics_of(line)
    told = {
        "outages_total": 1,
        "recoveries_total": 0,
        "cleanups_unsafe_total": 0,
        "outage_duration_seconds_count": 1,
        "save_duration_seconds_count": 1,
        "last_save_bytes": Path(SAVED).stat().st_size,
        "countdown_deadline_timestamp_seconds": 0,
        "policy_set_aside": 0,
        "refused": 0,
        "host_restarts_total": 0,
    }
    assert {name: metrics.of(name) for name in told} == told
    by_outcome = {
        "attempts_total": {"connected": 1, "refused": 0, "timed-out": 0},
        "saves_total": {"in-place": 1, "recovery": 0, "failed": 0},
        "read_backs_total": {"ok": 1, "failed": 0},
        "uploads_total": {"done": 0, "failed": 0},
        "cleanups_total": {"quit": 1, "recovered": 0, "closed": 0, "terminated": 0},
    }
    for name, outcomes in by_outcome.items():
        assert {it: metrics.of(name, outcome=it) for it in outcomes} == outcomes, name
    # Attempts go on in the countdown.
    assert metrics.of("attempts_total", outcome="unreachable") >= 2
    assert metrics.of("build_info", version=cr8_lifeline.__version__) == 1
    policy = line.status()["policy"]
    identity = {key: policy[key] for key in ("name", "version", "sha256")}
    assert metrics.of("policy_info", **identity) == 1
    assert metrics.state() == "quitting"
    assert line.close()
    assert metrics_of(line).state() == "closed"
    # The file is the same in another form.
    assert metrics_in(file) == metrics_of(line)
    assert [found.name for found in tmp_path.iterdir()] == [file.name]


def test_the_server_is_back(make_line: MakeLine, own_server: Server) -> None:
    recorder = make_line(
        own_server.url, username="ann", token=own_server.token, cleanup_timeout=300
    )
    recorder.line.connect()
    recorder.until("connected")
    own_server.kill()
    recorder.until("countdown")
    own_server.start()
    recorder.until("recovered")

    def ended() -> Metrics | None:
        metrics = metrics_of(recorder.line)
        return metrics if metrics.of("cleanups_total", outcome="recovered") else None

    metrics = wait_until("the end of the outage", ended, 30.0)
    assert (metrics.of("outages_total"), metrics.of("recoveries_total")) == (1, 1)
    assert metrics.of("attempts_total", outcome="connected") == 2
    assert metrics.of("saves_total", outcome="in-place") == 0
    assert metrics.state() == "connected"


def test_the_deadline_of_a_countdown(make_line: MakeLine, nowhere: str, tmp_path: Path) -> None:
    file = tmp_path / "blender.prom"
    begun = time.time()
    recorder = make_line(nowhere, cleanup_timeout=300, metrics_file=str(file))
    recorder.line.connect()
    recorder.until("countdown")
    name = "countdown_deadline_timestamp_seconds"
    for metrics in (metrics_of(recorder.line), wait_for_state(file, "counting-down")):
        # Told in whole milliseconds.
        assert begun + 300 <= metrics.of(name) <= time.time() + 300.01
    recorder.line.hold()
    assert wait_for_state(file, "held").of(name) == 0


def test_work_that_is_not_safe(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=0.1, warn_before=[], unsaved_wait=0)
    recorder.line.connect()
    fail_to_save(recorder)
    fail_to_save(recorder)
    close(recorder)
    metrics = metrics_of(recorder.line)
    assert metrics.of("saves_total", outcome="failed") == 2
    assert metrics.of("cleanups_total", outcome="quit") == 1
    assert metrics.of("cleanups_unsafe_total") == 1
    assert metrics.of("last_save_bytes") == 0


def test_a_recovery_copy_that_cannot_be_read_back(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere, cleanup_timeout=0.1, warn_before=[])
    recorder.line.connect()
    ticket = ticket_of(recorder.until("save"))
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED + ".nowhere", recovery=True)
    save(recorder)
    recorder.until("quit")
    metrics = metrics_of(recorder.line)
    saves = {it: metrics.of("saves_total", outcome=it) for it in ("in-place", "recovery")}
    assert saves == {"in-place": 1, "recovery": 1}
    read_back = {it: metrics.of("read_backs_total", outcome=it) for it in ("ok", "failed")}
    assert read_back == {"ok": 1, "failed": 1}


@pytest.mark.parametrize(("answer", "outcome"), [(ACCEPT, "done"), (FORBID, "failed")])
def test_an_upload(make_line: MakeLine, nowhere: str, answer: Answer, outcome: str) -> None:
    with Uploads(answer) as store:
        recorder = make_line(nowhere, cleanup_timeout=0.1, warn_before=[], save_url=store.url)
        recorder.line.connect()
        save(recorder)
        recorder.until("quit")
        metrics = metrics_of(recorder.line)
        uploads = {it: metrics.of("uploads_total", outcome=it) for it in ("done", "failed")}
        assert uploads == {"done": 0, "failed": 0} | {outcome: 1}
        assert store.url.partition("?")[2] not in recorder.line.metrics()


def test_policies_that_fail_and_are_refused(
    make_line: MakeLine, nowhere: str, five_minutes: Path
) -> None:
    recorder = make_line(nowhere, cleanup_timeout=300)
    line = recorder.line
    line.connect()
    recorder.until("lost")
    line.swap_policy(b"junk")
    assert recorder.until("policy").message
    line.swap_policy(hostile("trap"))
    assert recorder.until("policy").message is None

    def disabled() -> Metrics | None:
        metrics = metrics_of(line)
        return metrics if metrics.of("policy_set_aside") else None

    metrics = wait_until("the policy is disabled", disabled, 20.0)
    assert metrics.of("policy_failures_total") == 3
    swaps = {it: metrics.of("policy_swaps_total", outcome=it) for it in ("taken", "refused")}
    assert swaps == {"taken": 1, "refused": 1}
    line.swap_policy(five_minutes)
    assert recorder.until("policy").message is None
    metrics = metrics_of(line)
    assert (metrics.of("policy_set_aside"), metrics.of("policy_failures_total")) == (0, 3)


def test_counters_outlive_the_host_thread(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    recorder = make_line(nowhere, cleanup_timeout=300, journal=str(tmp_path / "journal.jsonl"))
    line = recorder.line
    line.connect()
    recorder.until("countdown")
    attempts = metrics_of(line).of("attempts_total", outcome="unreachable")
    line._inject_fault()
    recorder.until("countdown")
    metrics = metrics_of(line)
    assert metrics.of("host_restarts_total") == 1
    assert metrics.of("outages_total") == 2
    assert metrics.of("attempts_total", outcome="unreachable") > attempts

    def found() -> bool:
        return metrics_of(line).of("cleanups_total", outcome="interrupted") == 1

    wait_until("the outage that nobody has ended", found, 30.0)


def test_a_journal_that_cannot_be_written(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    recorder = make_line(nowhere, cleanup_timeout=0.1, warn_before=[], journal=str(tmp_path))
    recorder.line.connect()
    save(recorder)
    close(recorder)
    assert metrics_of(recorder.line).of("journal_errors_total") >= 1


def test_no_event_makes_a_series(make_line: MakeLine, own_server: Server, nowhere: str) -> None:
    def series(line: Lifeline) -> set[Series]:
        return {one for one in metrics_of(line) if one.name != PREFIX + "policy_info"}

    calm = series(make_line(nowhere).line)
    recorder = make_line(own_server.url, token="wrong", unsaved_wait=0)  # noqa: S106
    recorder.line.connect()
    recorder.until("lost")
    recorder.line.swap_policy(b"junk")
    fail_to_save(recorder)
    fail_to_save(recorder)
    close(recorder)
    assert metrics_of(recorder.line).of("attempts_total", outcome="refused") >= 2
    assert metrics_of(recorder.line).of("refused") == 1
    assert series(recorder.line) == calm


def test_each_user_is_told_apart(make_line: MakeLine, nowhere: str) -> None:
    for username in ("ann", 'an "odd" \\ näme'):
        assert metrics_of(make_line(nowhere, username=username).line).username == username
    assert metrics_of(make_line(nowhere).line).username is None


def test_a_file_that_cannot_be_written_is_told_once(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "later" / "blender.prom"
    recorder = make_line(nowhere, cleanup_timeout=300, metrics_file=str(file))
    recorder.line.connect()
    recorder.until("countdown")

    def complained() -> bool:
        recorder.poll()
        return str(file) in recorder.log()

    wait_until("the complaint", complained, 30.0)
    recorder.line.hold()
    recorder.until("held")
    recorder.line.release()
    recorder.until("countdown")
    file.parent.mkdir()
    recorder.line.hold()
    wait_for_state(file, "held")
    recorder.poll()
    complaints = [line for line in recorder.log().splitlines() if str(file) in line]
    assert len(complaints) == 1
    assert complaints[0].endswith("No such file or directory (os error 2)")


def test_the_document_tells_all_of_them(make_line: MakeLine, nowhere: str) -> None:
    def labels(family: Metric) -> str:
        """As the document writes them: the values, too, unless somebody else chooses them."""
        found: dict[str, list[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault(label, []).append(value)
        found.pop("le", None)
        free = family.type == "info"
        return "; ".join(
            f"`{label}`" if free else f"`{label}`: {', '.join(values)}"
            for label, values in found.items()
        )

    line = make_line(nowhere, cleanup_timeout=300).line
    line.connect()
    wait_until("the policy", lambda: line.status()["policy"]["sha256"] or None, 30.0)
    families = families_of(line)
    suffix = {"counter": "_total", "info": "_info"}
    true = {(it.name + suffix.get(it.type, ""), it.type, labels(it)) for it in families}
    text = DOCUMENT.read_text()
    rows = [row.group("name", "kind", "labels") for row in ROW.finditer(text)]
    assert {(name, kind, told.strip()) for name, kind, told in rows} == true
    assert len(rows) == len(true)
    # In the rules, too.
    assert set(re.findall(rf"{PREFIX}\w+", text)) == {name for name, _, _ in true}


def test_whoever_collects_may_read_the_file(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "blender.prom"
    line = make_line(nowhere, metrics_file=str(file)).line
    # As while Blender saves a recovery copy.
    before = os.umask(0o077)
    try:
        line.connect()
        wait_until("the file", lambda: file.exists() or None, 30.0)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


# A Blender that saves, and does not close.
STAYS = """
import json, sys, time
from cr8_lifeline import Lifeline
line = Lifeline(json.loads(sys.argv[1]), environ={})
line.connect()
while True:
    for event in line.poll():
        if event.kind in sys.argv[3:]:
            line.claim(event.ticket)
        if event.kind == "save":
            line.saved(event.ticket, sys.argv[2])
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [(["save"], "ended-by-host"), (["save", "quit"], "quit")],
    ids=["asked", "told"],
)
def test_a_blender_that_is_ended(
    nowhere: str, tmp_path: Path, claims: list[str], outcome: str
) -> None:
    file = tmp_path / "blender.prom"
    settings = {**COMPRESSED, "server_url": nowhere, "quit_timeout": 1, "metrics_file": str(file)}
    command = [sys.executable, "-c", STAYS, json.dumps(settings), SAVED, *claims]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0
    metrics = metrics_in(file)
    assert metrics.state() == "closed"
    assert metrics.of("cleanups_total", outcome=outcome) == 1
