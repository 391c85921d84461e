"""What docs/notifications.md shows is so."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from lifeline_harness.webhook import Webhook

from tests.python.conftest import MakeLine
from tests.python.test_notify import FIELDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "notifications.md"


def blocks(language: str) -> list[str]:
    text = DOCS.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_examples_have_the_fields_that_there_are() -> None:
    whole, *parts = [json.loads(block) for block in blocks("json")]
    assert list(whole) == FIELDS
    assert [one["event"] for one in parts] == ["cancelled", "saved", "failed"]
    for part in parts:
        assert part.keys() < whole.keys()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCS.read_text(encoding="utf-8"), re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(FIELDS) <= named


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_the_relay_passes_the_sentence_on(make_line: MakeLine, nowhere: str) -> None:
    (code,) = blocks("python")
    port = free_port()
    with Webhook() as chat:
        environment = {**os.environ, "CHAT_URL": chat.url, "PORT": str(port), "no_proxy": "*"}
        with subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL
        ) as relay:
            try:
                url = f"http://127.0.0.1:{port}/"
                # Until the relay listens, it is tried again.
                recorder = make_line(nowhere, notify_url=url, notify_timeout=60)
                recorder.line.connect()
                post = chat.wait_for_posts(1)[0]
                assert recorder.line.close()
            finally:
                relay.kill()
    text = post.content["text"]
    assert text.startswith("Blender cannot reach its server: it saves the untitled file and closes")
