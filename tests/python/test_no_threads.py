"""A computer that has no thread to give: a container at its limit, or a user at theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.python.conftest import COMPRESSED
from tests.python.server import Server

# Of nobody else, whose threads would count too.
UID = 54_321
SECONDS = 30.0

# Writes a line for each event; a line of its input ends a shortage, or begins one.
CHILD = """
import json, os, resource, select, sys, threading, time
from cr8_lifeline import Lifeline
line = Lifeline(json.loads(sys.argv[1]), environ={})
most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
os.setresuid(*[int(sys.argv[2])] * 3)
def tell(word):
    print(word, flush=True)
def shortage():
    time.sleep(1)  # threads that are kept in hand go
    resource.setrlimit(resource.RLIMIT_NPROC, (1, most))
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        tell("shortage")
    else:
        tell("unlimited")
def plenty():
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    tell("plenty")
line.connect()
while True:
    for event in line.poll():
        tell(event.kind)
    if select.select([sys.stdin], [], [], 0.01)[0]:
        word = sys.stdin.readline().strip()
        if not word:
            break
        {"shortage": shortage, "plenty": plenty, "look": lambda: tell("look")}[word]()
line.close()
"""


class Child:
    """A line in a process without privileges."""

    def __init__(self, settings: dict[str, object]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps(settings), str(UID)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.heard: list[str] = []

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        self.until(word)

    def until(self, word: str) -> None:
        """Read what it tells up to this."""
        assert self._process.stdout is not None
        while not self.heard or self.heard[-1] != word:
            line = self._process.stdout.readline()
            assert line, f"it has ended; heard: {self.heard}"
            self.heard.append(line.strip())
            if self.heard[-1] == "unlimited":
                pytest.skip("this system sets no limit to a user's threads")

    def close(self) -> None:
        """Have it end; what it had to say until then is heard."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self.heard += self._process.stdout.read().split()
        assert self._process.wait(SECONDS) == 0

    def kill(self) -> None:
        """If it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def make_child() -> Iterator[Callable[[dict[str, object]], Child]]:
    children: list[Child] = []

    def make(settings: dict[str, object]) -> Child:
        children.append(Child(settings))
        return children[-1]

    yield make
    for child in children:
        child.kill()


@pytest.mark.timeout(120)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without threads")
def test_a_line_stands_and_an_outage_is_written_down(
    patient: Server, make_child: Callable[[dict[str, object]], Child], tmp_path: Path
) -> None:
    journal = tmp_path / "journal" / "journal.jsonl"
    journal.parent.mkdir()
    # Of the run, of the worker if there are several, and of the test.
    for folder in (journal.parent, *tmp_path.parents[:3], tmp_path):
        folder.chmod(0o755)
    os.chown(journal.parent, UID, -1)
    child = make_child(
        {
            **COMPRESSED,
            "server_url": patient.url,
            "username": "ann",
            "token": patient.token,
            "retry_attempts": 100,
            "retry_delay_max": 0.3,
            "probe_silence": 0.2,
            "probe_every": 1,
            "journal": str(journal),
        }
    )
    child.until("connected")
    child.tell("shortage")
    # The line is asked for, in vain, which says nothing of the server.
    time.sleep(8.0)
    child.tell("look")
    assert "lost" not in child.heard
    patient.kill()
    child.until("lost")
    time.sleep(2.0)
    patient.start()
    child.tell("plenty")
    child.until("recovered")
    child.close()
    [entry] = [json.loads(line) for line in journal.read_text().splitlines()]
    assert (entry["type"], entry["outcome"]) == ("outage", "recovered")
