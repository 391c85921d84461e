"""Tokens and save targets are renewed while Blender runs, and said to have expired."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cr8_lifeline import SettingsError
from lifeline_harness.object_store import ObjectStore

from tests.python.conftest import MakeLine
from tests.python.echo import refusing
from tests.python.machine import SMALL, Machine, written
from tests.python.recorder import Recorder
from tests.python.server import Server
from tests.python.test_secrets import visible


def jwt(expires_at: float) -> str:
    """A token that says itself how long it is good for."""
    claims = json.dumps({"sub": "ann", "exp": int(expires_at)}).encode()
    return f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


def until_logged(recorder: Recorder, name: str) -> str:
    while True:
        event = recorder.until("log")
        if event.name == name:
            return str(event.message)


def test_a_token_is_read_from_its_file_at_each_attempt(
    make_line: MakeLine, own_server: Server, username: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("wrong")
    recorder = make_line(
        own_server.url, username=username, token_file=str(file), cleanup_timeout=60
    )
    recorder.line.connect()
    recorder.until("lost")
    file.write_text(own_server.token + "\n")
    recorder.until("connected")


def test_a_token_file_that_is_not_there_is_told_and_what_is_set_counts(
    make_line: MakeLine, server: Server, username: str, tmp_path: Path
) -> None:
    recorder = make_line(
        server.url, username=username, token=server.token, token_file=str(tmp_path / "none")
    )
    recorder.line.connect()
    recorder.until("connected")
    assert "token's file cannot be read" in recorder.log()


def test_the_server_renews(
    connected: Recorder, server: Server, username: str, store: ObjectStore, tmp_path: Path
) -> None:
    """What it sends counts in the next outage, and is seen nowhere."""
    url = store.url("PUT", "job.blend")
    until = datetime(2030, 1, 1, tzinfo=timezone.utc)
    data = {"token": "n3w-t0ken", "save": url, "expires_at": until.isoformat()}
    server.emit(username, "lifeline_credentials", data)
    assert "token, save target" in until_logged(connected, "credentials-renewed")
    connected.keep_polling(0.05)
    assert connected.line.status()["expires_at"] == "2030-01-01T00:00:00Z"
    server.shut_out(username)
    work = written(tmp_path, 1_000)
    event = connected.until("save")
    assert connected.line.claim(event.ticket)
    connected.line.saved(event.ticket, str(work))
    connected.until("quit")
    assert store.holds("job.blend")
    seen = visible(connected)
    assert "n3w-t0ken" not in seen
    assert "X-Amz-Signature" not in seen
    assert store.secret not in seen


def test_what_cannot_be_used_is_told_without_it(
    connected: Recorder, server: Server, username: str
) -> None:
    for data in ("hunter2", {"save": "hunter2"}, {"token": ["hunter2"]}, {"expires_at": "hunter2"}):
        server.emit(username, "lifeline_credentials", data)
        assert "cannot be used" in until_logged(connected, "credentials-refused")
    assert "hunter2" not in visible(connected)


def test_a_script_renews(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore
) -> None:
    target = store.target(store.begin("job.blend"), 2, SMALL)
    machine = Machine(make_line, nowhere, tmp_path)
    machine.line.credentials(save=target, expires_at=time.time() + 60)
    assert machine.upload(written(tmp_path, SMALL + 1))["ok"]
    assert "expire in 1 minute" in machine.recorder.log()
    with pytest.raises(SettingsError) as caught:
        machine.line.credentials(save="hunter2")
    assert "hunter2" not in repr(caught.value)


def test_a_token_that_has_expired_is_said_to_be_that(make_line: MakeLine) -> None:
    """While the server refuses it: before the countdown ends."""
    token = jwt(time.time() - 60)
    with refusing(lambda _auth: {"message": "no"}) as url:
        recorder = make_line(url, token=token, cleanup_timeout=60)
        recorder.line.connect()
        recorder.until("countdown")
        error = recorder.line.status()["last_error"] or ""
        seen = visible(recorder)
    assert "the token has expired at " in error
    assert "The credentials have expired" in recorder.log()
    assert token.split(".")[1] not in seen


def test_one_that_expires_soon_is_told_of(
    make_line: MakeLine, server: Server, username: str
) -> None:
    recorder = make_line(server.url, username=username, token=server.token)
    recorder.line.connect()
    recorder.until("connected")
    recorder.line.credentials(expires_at=time.time() + 1.5)
    assert "expire in 1 minute" in until_logged(recorder, "credentials-expire")
    assert "have expired" in until_logged(recorder, "credentials-expired")
    assert recorder.line.status()["connected"]
