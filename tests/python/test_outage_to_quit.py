"""The server is gone for good: saved, closed."""

from __future__ import annotations

import ctypes
import hashlib
import time
from pathlib import Path

import pytest
from cr8_lifeline import LastSave
from lifeline_harness.waiting import wait_until

from tests.python import stub
from tests.python.conftest import MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server


def test_the_whole_outage_in_order(make_line: MakeLine, own_server: Server, username: str) -> None:
    recorder = make_line(own_server.url, username=username, token=own_server.token)
    line = recorder.line
    line.connect()
    recorder.until("connected")
    begun = time.monotonic()
    own_server.kill()
    assert recorder.until("lost").reason in ("transport-error", "ping-timeout")
    countdown = recorder.until("countdown")
    assert (countdown.attempts, countdown.seconds) == (2, 0.4)
    assert 0 < (recorder.until("warn").seconds or 0) <= 0.2
    save = recorder.until("save")
    assert time.monotonic() - begun > 0.3
    assert save.place == "in-place"
    assert line.claim(ticket_of(save))
    line.saved(ticket_of(save), SAVED)
    close = recorder.until("quit")
    assert ticket_of(close) != ticket_of(save)
    assert line.claim(ticket_of(close))
    recorder.until("close")
    recorder.keep_polling(0.2)
    assert recorder.kinds() == ["connected", "lost", "countdown", "warn", "save", "quit", "close"]


def test_a_server_that_was_never_there_is_an_outage_too(make_line: MakeLine, nowhere: str) -> None:
    recorder = make_line(nowhere)
    recorder.line.connect()
    assert recorder.until("lost").reason == "never-connected"
    recorder.until("save")
    assert recorder.kinds() == ["lost", "countdown", "warn", "save"]


def saving(make_line: MakeLine, nowhere: str, **settings: object) -> tuple[Recorder, int]:
    """A line whose countdown is over, and the ticket of its save."""
    recorder = make_line(nowhere, cleanup_timeout=0.1, warn_before=[], **settings)
    recorder.line.connect()
    return recorder, ticket_of(recorder.until("save"))


def test_a_ticket_is_claimed_once(make_line: MakeLine, nowhere: str) -> None:
    recorder, save = saving(make_line, nowhere)
    line = recorder.line
    assert [line.claim(save), line.claim(save)] == [True, False]
    line.saved(save, SAVED)
    close = ticket_of(recorder.until("quit"))
    assert [line.claim(close), line.claim(close)] == [True, False]
    assert not line.claim(save)
    assert not line.claim(close + 1)


def test_an_answer_without_a_claim_counts_for_nothing(make_line: MakeLine, nowhere: str) -> None:
    recorder, save = saving(make_line, nowhere)
    recorder.line.saved(save, SAVED)
    recorder.keep_polling(0.3)
    assert recorder.kinds()[-1] == "save"
    assert recorder.line.claim(save)
    recorder.line.saved(save, SAVED)
    recorder.until("quit")


def test_a_failed_save_leads_to_a_recovery_save(make_line: MakeLine, nowhere: str) -> None:
    recorder, save = saving(make_line, nowhere)
    line = recorder.line
    assert line.claim(save)
    line.save_failed(save, ["a.blend: no space left on device"])
    recovery = recorder.until("save")
    assert recovery.place == "recovery"
    assert ticket_of(recovery) != save
    assert line.claim(ticket_of(recovery))
    line.saved(ticket_of(recovery), SAVED)
    recorder.until("quit")


def test_after_a_failed_recovery_it_closes_all_the_same(make_line: MakeLine, nowhere: str) -> None:
    recorder, ticket = saving(make_line, nowhere, unsaved_wait=0)
    for _ in range(2):
        assert recorder.line.claim(ticket)
        recorder.line.save_failed(ticket, ["no space left on device"])
        event = recorder.until("quit" if recorder.kinds().count("save") == 2 else "save")
        ticket = ticket_of(event)
    assert recorder.kinds().count("save") == 2
    assert recorder.line.claim(ticket)


def test_unsaved_work_is_saved_again_before_it_closes(make_line: MakeLine, nowhere: str) -> None:
    recorder, ticket = saving(make_line, nowhere)
    for place in ("recovery", "in-place"):
        assert recorder.line.claim(ticket)
        recorder.line.save_failed(ticket, ["no space left on device"])
        again = recorder.until("save")
        assert again.place == place
        ticket = ticket_of(again)
    assert "quit" not in recorder.kinds()
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED)
    recorder.until("quit")


def test_a_file_that_is_not_there_was_not_saved(make_line: MakeLine, nowhere: str) -> None:
    recorder, ticket = saving(make_line, nowhere)
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED + ".nowhere")
    assert recorder.until("save").ticket != ticket
    assert "cannot be read back" in recorder.log()


def test_what_was_read_back_is_not_read_again(make_line: MakeLine, nowhere: str) -> None:
    recorder, ticket = saving(make_line, nowhere)
    assert recorder.line.claim(ticket)
    digest = (Path(SAVED).stat().st_size, "ab" * 32, 0.25)
    recorder.line.saved(ticket, SAVED, digest=digest)
    recorder.until("quit")
    last = recorder.line.status()["last_save"]
    assert last is not None
    assert (last["bytes"], last["sha256"]) == digest[:2]


@pytest.mark.parametrize(
    ("digest", "reason"),
    [
        ((5, "ab" * 31, 0.25), "64 lower-case hexadecimal digits"),
        ((5, "AB" * 32, 0.25), "64 lower-case hexadecimal digits"),
        ((5, "ab" * 32, float("nan")), "NaN is no number of seconds"),
        ((5, "ab" * 32, -1.0), "-1 is no number of seconds"),
    ],
)
def test_what_is_no_digest(
    make_line: MakeLine, nowhere: str, digest: tuple[int, str, float], reason: str
) -> None:
    recorder, ticket = saving(make_line, nowhere)
    assert recorder.line.claim(ticket)
    with pytest.raises(ValueError, match=f"digest: .*{reason}"):
        recorder.line.saved(ticket, SAVED, digest=digest)
    recorder.line.saved(ticket, SAVED)
    recorder.until("quit")


def test_changes_since_the_save_are_saved_first(make_line: MakeLine, nowhere: str) -> None:
    recorder, ticket = saving(make_line, nowhere)
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED)
    close = ticket_of(recorder.until("quit"))
    recorder.line.save_first(close)
    again = ticket_of(recorder.until("save"))
    assert not recorder.line.claim(close)
    assert recorder.line.claim(again)
    recorder.line.saved(again, SAVED)
    assert recorder.line.claim(ticket_of(recorder.until("quit")))
    recorder.until("close")


def test_a_save_is_told_while_it_runs_and_when_it_has_ended(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    recorder, save = saving(make_line, nowhere, quit_floor=600)
    line = recorder.line
    assert line.claim(save)
    line.saving(save, tmp_path / "a.blend")
    wait_until("the save", lambda: line.status()["save"], 30.0)
    running = line.status()["save"]
    assert running is not None
    assert stub.faults("SaveStatus", running) == []
    assert (running["path"], running["bytes"]) == (str(tmp_path / "a.blend"), None)
    # Where Blender writes first.
    (tmp_path / "a.blend@").write_bytes(b"12345")
    running = line.status()["save"]
    assert running is not None
    assert running["bytes"] == 5
    line.saved(save, SAVED)

    def digested() -> LastSave | None:
        last = line.status()["last_save"]
        return last if last is not None and last["sha256"] else None

    last = wait_until("its digest", digested, 30.0)
    assert stub.faults("LastSave", last) == []
    assert last["sha256"] == hashlib.sha256(Path(SAVED).read_bytes()).hexdigest()
    assert (last["bytes"], last["recovery"]) == (Path(SAVED).stat().st_size, False)
    assert line.status()["save"] is None


def test_nothing_closes_before_the_floor(make_line: MakeLine, nowhere: str) -> None:
    begun = time.monotonic()
    recorder, save = saving(make_line, nowhere, quit_floor=4)
    assert recorder.line.claim(save)
    recorder.line.saved(save, SAVED)
    assert time.monotonic() - begun < 3.5, "too slow a machine to tell anything"
    recorder.until("quit")
    assert time.monotonic() - begun >= 4


def test_a_blocked_interpreter_stops_neither_attempts_nor_clock(
    make_line: MakeLine, nowhere: str
) -> None:
    recorder = make_line(nowhere)
    recorder.line.connect()
    # PyDLL keeps the GIL: no Python code runs anywhere in the meantime.
    ctypes.PyDLL(None).usleep(1_000_000)
    recorder.poll()
    assert recorder.kinds() == ["lost", "countdown", "warn", "save"]


def test_nothing_is_printed(
    make_line: MakeLine, nowhere: str, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder, save = saving(make_line, nowhere)
    recorder.line.claim(save)
    recorder.line.saved(save, SAVED)
    recorder.until("quit")
    assert recorder.line.close()
    assert capfd.readouterr() == ("", "")
