"""The token, and the URL's password and query, come out nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cr8_lifeline import LifelineError

from tests.python.conftest import MakeLine
from tests.python.echo import refusing
from tests.python.recorder import Recorder
from tests.python.server import Server

SECRET = "s3kr3t_0123"  # noqa: S105 (that is the point)
AWKWARD = 'zq1x"zq2x\\zq3x'


def visible(recorder: Recorder) -> str:
    """All that a person or a log may get to see of a line."""
    line = recorder.line
    recorder.poll()
    return "\n".join(
        [
            repr(line),
            str(line),
            repr(line.settings()),
            repr(line.status()),
            line.metrics(),
            *map(repr, recorder.events),
            *(str(getattr(event, "message", "")) for event in recorder.events),
        ]
    )


def assert_hidden(secret: str, text: str) -> None:
    # In parts, for however it is quoted.
    for part in re.split(r"\W", secret):
        assert part not in text


@pytest.mark.parametrize("token", [SECRET, AWKWARD], ids=["plain", "awkward"])
@pytest.mark.parametrize(
    "reason",
    [
        lambda auth: {"message": f"I do not know {auth['token']}"},
        lambda auth: f"I do not know {auth['token']}",
        lambda auth: {"why": auth},
    ],
    ids=["message", "text", "json"],
)
def test_a_server_that_repeats_the_token_in_its_refusal(
    make_line: MakeLine, token: str, reason: Callable[[dict[str, str]], object]
) -> None:
    with refusing(reason) as url:
        recorder = make_line(url, username="ann", token=token)
        recorder.line.connect()
        recorder.until("lost")
        recorder.keep_polling(0.05)  # for the log line that follows
        seen = visible(recorder)
    assert "the server refuses this Blender" in seen
    assert_hidden(token, seen)


def test_the_url_keeps_its_password_and_query(make_line: MakeLine, nowhere: str) -> None:
    url = nowhere.replace("ws://", f"ws://ann:{SECRET}@") + f"/?token={SECRET}"
    recorder = make_line(url, token=SECRET)
    recorder.line.connect()
    recorder.until("save")
    assert_hidden(SECRET, visible(recorder))


@pytest.mark.parametrize("token", [SECRET, AWKWARD], ids=["plain", "awkward"])
def test_a_token_of_a_file_that_the_server_repeats(
    make_line: MakeLine, token: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    with refusing(lambda auth: {"why": auth}) as url:
        recorder = make_line(url, username="ann", token_file=str(file))
        recorder.line.connect()
        recorder.until("lost")
        recorder.keep_polling(0.05)
        seen = visible(recorder)
    assert "the server refuse" in seen
    assert_hidden(token, seen)


def test_save_targets_and_places_for_copies(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    """Each of their URLs, also once nothing can be uploaded there, and in the journal."""
    url = f"http://{SECRET}:{SECRET}@127.0.0.1:9/f?sig={SECRET}"
    names = ("complete_url", "abort_url")
    target = {"part_size": 5 << 20, "part_urls": [url], **dict.fromkeys(names, url)}
    journal = tmp_path / "journal.jsonl"
    file = tmp_path / "work.blend"
    file.write_bytes(b"work")
    recorder = make_line(
        nowhere,
        save_target=json.dumps(target),
        recovery_url=json.dumps([url] * 4),
        safe="uploaded",
        upload_timeout=1,
        unsaved_wait=0,
        journal=str(journal),
    )
    recorder.line.connect()
    event = recorder.until("save")
    assert recorder.line.claim(event.ticket)
    recorder.line.saved(event.ticket, file)
    event = recorder.until("quit")
    assert recorder.line.claim(event.ticket)
    recorder.until("close")
    seen = visible(recorder) + journal.read_text()
    assert "given up after 1 s" in seen
    assert_hidden(SECRET, seen)


def test_a_host_that_cannot_be_found(make_line: MakeLine) -> None:
    url = f"ws://ann:{SECRET}@no-such-host.invalid/?token={SECRET}"
    recorder = make_line(url, token=SECRET)
    recorder.line.connect()
    recorder.until("lost")
    assert_hidden(SECRET, visible(recorder))


def test_while_connected_and_refused_later(
    connected: Recorder, server: Server, username: str
) -> None:
    server.shut_out(username)
    connected.until("save")
    assert_hidden(server.token, visible(connected))


def test_an_exception_about_data_does_not_show_the_data(connected: Recorder) -> None:
    with pytest.raises(LifelineError) as caught:
        connected.line.emit("login", {"password": SECRET, "bad": {SECRET}})
    assert SECRET not in repr(caught.value)
    assert SECRET not in repr(caught.value.__cause__)
