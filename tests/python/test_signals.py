"""SIGTERM belongs to the process that holds the line, and to no other."""

from __future__ import annotations

import signal
import subprocess
import sys

START = """
import os, signal, sys, time
import cr8_lifeline
line = cr8_lifeline.Lifeline({"server_url": sys.argv[1]}, environ={})
line.connect()
while line.status()["phase"] == "idle":
    time.sleep(0.01)
"""

FORK = """
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.write(writing, b"here")
    time.sleep(20)
    os._exit(7)
os.read(reading, 4)
os.kill(child, signal.SIGTERM)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), flush=True)
line.close()
"""

HEARD = """
os.kill(os.getpid(), signal.SIGTERM)
reasons = []
while not reasons:
    reasons += [event.reason for event in line.poll() if event.kind == "save"]
    time.sleep(0.01)
print(*reasons, flush=True)
line.close()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""


def run(code: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START + code, url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_forked_child_ends_as_ever(nowhere: str) -> None:
    """As those of Python's multiprocessing, which has no host thread."""
    done = run(FORK, nowhere)
    assert (done.returncode, done.stdout) == (0, f"{-signal.SIGTERM}\n"), done.stderr


def test_it_is_heard_until_the_line_is_closed(nowhere: str) -> None:
    done = run(HEARD, nowhere)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "termination\n"), done.stderr
