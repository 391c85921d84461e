"""A webhook is told what becomes of an outage, and so is a server that can be reached."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

from lifeline_harness.journal import DIGEST, INSTANT
from lifeline_harness.waiting import wait_until
from lifeline_harness.webhook import ACCEPT, BUSY, FORBID, SILENT, Webhook

from tests.python import traces
from tests.python.conftest import MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server
from tests.python.test_secrets import assert_hidden, visible

FIELDS = [
    "schema",
    "event",
    "text",
    "id",
    "sequence",
    "at",
    "username",
    "server",
    "pid",
    "version",
    "policy",
    "file",
    "reason",
    "refusal",
    "seconds",
    "outcome",
    "save",
    "safe",
    "failures",
]


def save(recorder: Recorder, path: str = SAVED) -> None:
    """Do what Blender does with a save."""
    ticket = ticket_of(recorder.until("save"))
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, path)


def close(recorder: Recorder) -> None:
    """Do what Blender does with a quit."""
    assert recorder.line.claim(ticket_of(recorder.until("quit")))
    recorder.until("close")


def to_its_end(recorder: Recorder) -> None:
    """Live through an outage: the work is saved, and Blender closes."""
    recorder.line.connect()
    save(recorder)
    close(recorder)


def journal_of(path: Path) -> dict[str, Any]:
    (line,) = path.read_text(encoding="utf-8").splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


def test_from_the_countdown_to_the_saved_file(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    journal = tmp_path / "journal.jsonl"
    with Webhook() as webhook:
        recorder = make_line(nowhere, username="ann", notify_url=webhook.url, journal=str(journal))
        recorder.line.scene(modified=True, untitled=False, rendering=False, path="/w/a.blend")
        to_its_end(recorder)
        webhook.wait_for("saved")
        assert webhook.events() == ["warn", "warn", "saved"]
        for post in webhook.posts():
            assert webhook.url.endswith(post.target), "the query belongs to it"
            assert post.content_type == "application/json"
            assert post.key == f"{post.content['id']}-{post.content['sequence']}"
        told = webhook.accepted()
        assert [one["sequence"] for one in told] == [1, 2, 3]
        entry = journal_of(journal)
        policy = recorder.line.status()["policy"]
        for one in told:
            assert list(one) == FIELDS
            assert (one["schema"], one["id"], one["username"]) == (1, entry["id"], "ann")
            assert INSTANT.fullmatch(one["at"])
            assert one["server"] == f"{nowhere}/ws/socket.io/"
            assert (one["pid"], one["version"]) == (os.getpid(), entry["version"])
            assert one["policy"]["name"] == policy["name"] == "five-minutes"
            assert DIGEST.fullmatch(one["policy"]["sha256"])
            assert (one["file"], one["reason"]) == ("/w/a.blend", "never-connected")
            assert one["text"].startswith("Blender of ann ")
            assert one["failures"] == []
        assert [one["outcome"] for one in told] == [None, None, None]
        first, second, last = told
        assert first["seconds"]["left"] == 0.4
        assert 0 < second["seconds"]["left"] <= 0.2
        assert last["seconds"]["left"] is None
        assert first["seconds"]["outage"] < last["seconds"]["outage"]
        assert first["save"] is None
        content = Path(SAVED).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        assert last["save"] == {
            "path": SAVED,
            "recovery": False,
            "bytes": len(content),
            "sha256": digest,
        }


def test_a_server_back_in_the_countdown_hears_of_it(
    make_line: MakeLine, server: Server, username: str
) -> None:
    with Webhook() as webhook:
        recorder = make_line(
            server.url,
            username=username,
            token=server.token,
            notify_url=webhook.url,
            cleanup_timeout=600,
        )
        recorder.line.connect()
        recorder.until("connected")
        server.shut_out(username)
        recorder.until("countdown")
        server.refuse(False)
        recorder.until("recovered", timeout=30)
        told = webhook.wait_for("cancelled")
        assert webhook.events() == ["warn", "cancelled"]
        assert (told["outcome"], told["reason"]) == ("recovered", "server-disconnect")
        assert told["save"] is None
        (event,) = server.wait_for_events(username, 1)
        assert event["event"] == "cleanup_cancelled"
        assert event["data"] == [told]


def test_an_outage_within_the_first_attempts_is_no_news(
    make_line: MakeLine, server: Server, username: str
) -> None:
    with Webhook() as webhook:
        recorder = make_line(
            server.url,
            username=username,
            token=server.token,
            notify_url=webhook.url,
            retry_attempts=1000,
        )
        recorder.line.connect()
        recorder.until("connected")
        server.shut_out(username)
        recorder.until("lost")
        server.refuse(False)
        recorder.until("recovered")
        # What comes behind it at the server comes after it.
        recorder.line.emit("hello")
        events = server.wait_for_events(username, 1)
        assert [one["event"] for one in events] == ["hello"]
        assert webhook.posts() == []
        assert "lifeline-notify" not in traces.threads()


def test_a_person_keeps_blender_open(make_line: MakeLine, nowhere: str) -> None:
    with Webhook() as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, cleanup_timeout=600)
        recorder.line.connect()
        recorder.until("countdown")
        recorder.line.hold(by="a test")
        assert webhook.wait_for("cancelled")["outcome"] == "held"


def test_a_line_that_is_closed_in_the_countdown(make_line: MakeLine, nowhere: str) -> None:
    with Webhook() as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, cleanup_timeout=600)
        recorder.line.connect()
        recorder.until("countdown")
        assert recorder.line.close()
        assert webhook.wait_for("cancelled")["outcome"] == "closed"


def test_nothing_could_be_saved(make_line: MakeLine, nowhere: str) -> None:
    with Webhook() as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, unsaved_wait=0.5)
        recorder.line.connect()
        for reason in ("read-only", "disk full"):
            ticket = ticket_of(recorder.until("save"))
            assert recorder.line.claim(ticket)
            recorder.line.save_failed(ticket, [reason])
        close(recorder)
        wait_until("both", lambda: webhook.events().count("failed") == 2, 30.0)
        first, last = webhook.accepted()[-2:]
        assert (first["outcome"], last["outcome"]) == ("retrying", "quit")
        assert first["failures"] == ["disk full"]
        assert first["save"] is None


def test_a_file_that_cannot_be_read_back(make_line: MakeLine, nowhere: str) -> None:
    with Webhook() as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url)
        recorder.line.connect()
        save(recorder, SAVED + ".nowhere")
        failed = webhook.wait_for("failed")
        assert failed["save"] is None
        assert SAVED + ".nowhere" in failed["failures"][0]
        save(recorder)
        webhook.wait_for("saved")
        assert "warn" not in webhook.events()[-2:]


def test_sigterm_under_a_living_server(make_line: MakeLine, server: Server, username: str) -> None:
    with Webhook() as webhook:
        recorder = make_line(
            server.url, username=username, token=server.token, notify_url=webhook.url
        )
        recorder.line.connect()
        recorder.until("connected")
        os.kill(os.getpid(), signal.SIGTERM)
        save(recorder)
        saved = webhook.wait_for("saved")
        assert webhook.events() == ["warn", "saved"]
        warned = webhook.accepted()[0]
        assert (warned["reason"], warned["seconds"]["left"]) == ("sigterm", 0)
        assert (saved["reason"], saved["id"]) == ("sigterm", warned["id"])
        (event,) = server.wait_for_events(username, 1)
        assert event["event"] == "cleanup_imminent"
        assert event["data"] == [warned]


def test_what_may_change_is_tried_again_in_order(make_line: MakeLine, nowhere: str) -> None:
    with Webhook(BUSY, BUSY, ACCEPT) as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, notify_timeout=60)
        to_its_end(recorder)
        webhook.wait_for("saved")
        keys = [post.key for post in webhook.posts()]
        assert keys[0] == keys[1] == keys[2]
        assert [one["sequence"] for one in webhook.accepted()] == [1, 2, 3]
        recorder.poll()
        assert "not delivered" not in recorder.log()


def test_a_refusal_is_one_line_in_the_log_without_the_url(
    make_line: MakeLine, nowhere: str
) -> None:
    with Webhook(FORBID, ACCEPT) as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url)
        to_its_end(recorder)
        webhook.wait_for("saved")
        assert webhook.events() == ["warn", "saved"]
        seen = visible(recorder)
        said = 'The notification "warn" was not delivered: it was refused with status 403'
        assert recorder.log().count("not delivered") == recorder.log().count(said) == 1
        assert_hidden(webhook.secret, seen)
        assert "notify_url" not in recorder.line.settings()


def test_a_webhook_that_is_not_there(make_line: MakeLine, nowhere: str) -> None:
    """Everything goes on as without it."""
    secret = secrets.token_hex(16)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://ann:{secret}@127.0.0.1:{bound.getsockname()[1]}/?token={secret}"
        recorder = make_line(nowhere, notify_url=url, notify_timeout=1)
        to_its_end(recorder)
        assert recorder.kinds() == ["lost", "countdown", "warn", "save", "quit", "close"]

        def complained() -> bool:
            recorder.poll()
            return "not delivered: there was no more time" in recorder.log()

        wait_until("a line in the log", complained, 30.0)
        assert_hidden(secret, visible(recorder))


def test_a_webhook_that_is_gone_does_not_hold_up_the_end(make_line: MakeLine, nowhere: str) -> None:
    """It has 3 seconds, of its own 60."""
    with Webhook(SILENT) as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, notify_timeout=60)
        to_its_end(recorder)
        begun = time.monotonic()
        assert recorder.line.close(closing=True)
        assert time.monotonic() - begun < 10
        (post,) = webhook.posts()
        assert post.content["event"] == "warn"


def test_what_is_under_way_arrives_before_blender_has_closed(
    make_line: MakeLine, nowhere: str
) -> None:
    with Webhook() as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url)
        recorder.line.connect()
        webhook.wait_for("warn")
        webhook.gate.clear()
        save(recorder)
        close(recorder)
        answering = threading.Timer(0.5, webhook.gate.set)
        answering.start()
        assert recorder.line.close(closing=True)
        assert webhook.gate.is_set(), "it was waited for"
        assert webhook.events()[-1] == "saved"
        answering.join()


def test_an_add_on_that_is_disabled_waits_for_nobody(make_line: MakeLine, nowhere: str) -> None:
    with Webhook(SILENT) as webhook:
        recorder = make_line(nowhere, notify_url=webhook.url, notify_timeout=60)
        recorder.line.connect()
        recorder.until("countdown")
        webhook.wait_for_posts(1)
        assert recorder.line.close()
        assert "lifeline-notify" in traces.threads(), "it was not waited for"
