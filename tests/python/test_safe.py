"""What counts as safe: what is on the disk, or what the store has."""

from __future__ import annotations

import json
from pathlib import Path

from lifeline_harness.gateway import Gateway
from lifeline_harness.object_store import ObjectStore, sha256
from lifeline_harness.waiting import wait_until
from lifeline_harness.webhook import Webhook

from tests.python.conftest import MakeLine
from tests.python.machine import SMALL, Machine, written
from tests.python.recorder import ticket_of


def open_file(machine: Machine, path: Path | None) -> None:
    machine.line.scene(modified=False, untitled=path is None, rendering=False, path=str(path or ""))


def test_blender_stays_until_the_store_has_it(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore, gateway: Gateway
) -> None:
    """The store is down at first: nothing is saved again, what is up is not sent again."""
    work = written(tmp_path, SMALL + 1)
    target = store.target(store.begin("job.blend"), 2, SMALL, port=gateway.port)
    store.stop()
    with Webhook() as webhook:
        machine = Machine(
            make_line,
            nowhere,
            tmp_path,
            save_target=target,
            safe="uploaded",
            upload_timeout=1,
            notify_url=webhook.url,
        )
        machine.save(work)
        webhook.wait_for("failed")
        machine.recorder.poll()
        assert "quit" not in machine.recorder.kinds()
        store.start()
        ticket = ticket_of(machine.recorder.until("quit", 60.0))
        assert machine.line.claim(ticket)
        machine.recorder.until("close")
        webhook.wait_for("saved")
        assert machine.recorder.kinds().count("save") == 1
        told = {one["event"]: one for one in webhook.accepted()}
        assert (told["failed"]["safe"], told["failed"]["outcome"]) == ("local", "retrying")
        assert "could not upload it: it stays open" in told["failed"]["text"]
        assert told["saved"]["safe"] == "uploaded"
    entry = machine.entry()
    assert (entry["safe"], entry["wanted"]) == ("uploaded", "uploaded")
    assert store.sha256("job.blend") == sha256(work)


def test_in_the_end_it_closes_and_says_that_it_is_not(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore
) -> None:
    target = store.target(store.begin("job.blend"), 2, SMALL, seconds=1, since=1_000_000)
    machine = Machine(
        make_line, nowhere, tmp_path, save_target=target, safe="uploaded", unsaved_wait=2
    )
    assert not machine.upload(written(tmp_path, SMALL + 1))["ok"]
    entry = machine.entry()
    assert (entry["safe"], entry["wanted"]) == ("local", "uploaded")
    assert "lifeline_cleanups_unsafe_total 1" in machine.line.metrics()


def test_a_target_that_is_renewed_meanwhile_is_used(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore
) -> None:
    begun = store.begin("job.blend")
    mounted = tmp_path / "target"
    mounted.write_text(store.target(begun, 2, SMALL, seconds=1, since=1_000_000))
    machine = Machine(make_line, nowhere, tmp_path, save_target_file=str(mounted), safe="uploaded")
    machine.save(written(tmp_path, SMALL + 1))

    def refused() -> bool:
        machine.recorder.poll()
        return "status 403" in machine.recorder.log()

    wait_until("the first refusal", refused, 30.0)
    mounted.write_text(store.target(begun, 2, SMALL))
    machine.recorder.until("quit", 60.0)
    assert store.holds("job.blend")


def test_another_file_is_not_written_over_the_one_in_the_store(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore
) -> None:
    """After "Save As" the target still names the old one; a copy has a name of its own."""
    work = written(tmp_path, 1_000)
    url = store.url("PUT", "job.blend")
    for recovery in ("", f"http://127.0.0.1:1/{{name}}?{store.secret}"):
        machine = Machine(
            make_line, nowhere, tmp_path, save_url=url, recovery_url=recovery, upload_timeout=1
        )
        # The second connection never sees the first file: what a target is for is not forgotten.
        if not recovery:
            open_file(machine, tmp_path / "job.blend")
        open_file(machine, work)
        machine.save(work)
        ticket = ticket_of(machine.recorder.until("quit", 60.0))
        assert machine.line.claim(ticket)
        machine.recorder.until("close")
        assert not store.holds("job.blend")
        assert (machine.entry()["upload"] is None) == (not recovery)
        assert machine.entry()["safe"] == "local"


def test_a_copy_goes_where_copies_go(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore
) -> None:
    """One after the other: the early copy, the recovery copy, its record, the journal."""
    early, work = written(tmp_path, 2_000), written(tmp_path, 1_000)
    record = work.with_suffix(".json")
    record.write_text('{"username": "ann"}')
    urls = [store.url("PUT", f"copies/{number}") for number in range(4)]
    machine = Machine(
        make_line,
        nowhere,
        tmp_path,
        save_url=store.url("PUT", "job.blend"),
        recovery_url=json.dumps(urls),
        safe="uploaded",
        early_copy=True,
        cleanup_timeout=0.4,
    )
    open_file(machine, tmp_path / "job.blend")
    open_file(machine, None)
    machine.recorder.until("early-copy")
    for _ in range(2):
        machine.line.copied_early(early)
    wait_until("the early copy", lambda: store.holds("copies/0"), 30.0)
    ticket = ticket_of(machine.recorder.until("save"))
    assert machine.line.claim(ticket)
    machine.line.saved(ticket, work, recovery=True)
    ticket = ticket_of(machine.recorder.until("quit"))
    assert machine.line.claim(ticket)
    machine.recorder.until("close")
    assert store.sha256("copies/0") == sha256(early)
    assert store.sha256("copies/1") == sha256(work)
    assert store.sha256("copies/2") == sha256(record)
    assert store.sha256("copies/3") == sha256(machine.journal.path)
    assert not store.holds("job.blend")
    assert machine.entry()["safe"] == "uploaded"
