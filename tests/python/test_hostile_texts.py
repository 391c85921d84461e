"""What strangers write, through everything that the host and the add-on give out."""

from __future__ import annotations

import json
import logging
import random
import unicodedata
from pathlib import Path

import pytest
from cr8_lifeline.events import Log
from lifeline_harness.webhook import Webhook
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder, ticket_of
from tests.python.test_own_files import module

PIECES = [
    *("\x1b[2J\x1b]0;title\x07", "\n[ERROR] forged", "\r", "\t", "\x00", "\x7f", "\x9b31m", "\x85"),
    *('"', "\\", "{}", "%s", "\u202egnp.", "\u2066", "\u2028", "\u200f", "é", "\U0001f4a5", " "),
    *("a", "cr8_lifeline_state 5", "# EOF", "x" * 300),
]
LINE_MAX = 4_100


def texts(dice: random.Random) -> str:
    return "".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 9)))


def is_harmless(line: str) -> bool:
    """Nothing of it reaches a terminal but letters."""
    turns = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return not any(
        unicodedata.category(it) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(it) in turns
        for it in line
    )


@pytest.fixture
def dice() -> random.Random:
    return random.Random(18)  # noqa: S311 - the same texts each time


def test_a_line_of_the_log_stays_one(dice: random.Random) -> None:
    formatter = module("log")._Line()
    json_line = module("log_file").JsonLine()
    for _ in range(300):
        name, reason = texts(dice), texts(dice) * dice.choice([1, 1, 100])
        record = logging.LogRecord("x", logging.ERROR, "", 0, "%s: %s", (name, reason), None)
        said = formatter.format(record)
        assert said.startswith("[ERROR] ")
        assert is_harmless(said), ascii(said)
        assert len(said) <= LINE_MAX
        # For programs it is whole, and one line.
        whole = json_line.format(record)
        assert whole.isascii()
        assert whole.isprintable()
        assert json.loads(whole)["message"] == f"{name}: {reason}"


def test_an_outage_of_whoever_is_called_like_this(
    make_line: MakeLine, nowhere: str, tmp_path: Path, dice: random.Random
) -> None:
    for number in range(4):
        # Spaces around it are no part of it.
        username = f"{number}{texts(dice)}."
        journal = tmp_path / f"{number}.jsonl"
        with Webhook() as webhook:
            recorder = make_line(
                nowhere,
                username=username,
                notify_url=webhook.url,
                journal=str(journal),
                unsaved_wait=0,
            )
            reasons = _lose(recorder, texts(dice), [texts(dice), texts(dice)])
            metrics = recorder.line.metrics()
            webhook.wait_for_posts(2)
            posts = [post.content for post in webhook.posts()]
        (line,) = journal.read_text(encoding="utf-8").split("\n")[:-1]
        entry = json.loads(line)
        assert entry["username"] == username
        assert [reason for one in entry["saves"] for reason in one["failures"]] == reasons
        assert {post["username"] for post in posts} == {username}
        families = openmetrics(metrics)  # type: ignore[no-untyped-call]
        samples = [sample for family in families for sample in family.samples]
        assert {sample.labels["username"] for sample in samples} == {username}
        formatter = module("log")._Line()
        for event in recorder.events:
            if isinstance(event, Log):
                record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (event.message,), None)
                assert is_harmless(formatter.format(record))


def _lose(recorder: Recorder, path: str, reasons: list[str]) -> list[str]:
    """Live through an outage whose saves fail for these reasons; which are told."""
    line = recorder.line
    line.scene(modified=True, untitled=False, rendering=False, path=f"/w/{path}.blend")
    line.connect()
    for reason in reasons:
        ticket = ticket_of(recorder.until("save"))
        assert line.claim(ticket)
        line.save_failed(ticket, [reason])
    assert line.claim(ticket_of(recorder.until("quit")))
    recorder.until("close")
    return reasons
