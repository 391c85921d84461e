"""SIGTERM, and what else ends a process, belongs to the one that holds the line, and no other."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# Whatever their numbers are here.
TAKEN = [
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGXCPU, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
]

START = """
import os, resource, signal, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
number = int(sys.argv[2])
handled = []
BEFORE
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
os.kill(child, number)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), flush=True)
line.close()
"""

HEARD = """
os.kill(os.getpid(), number)
reasons = []
while not reasons:
    reasons += [event.reason for event in line.poll() if event.kind == "save"]
    time.sleep(0.01)
print(*reasons, flush=True)
line.close()
os.kill(os.getpid(), number)
time.sleep(20)
"""


# Of a signal that means something else here; then of SIGTERM.
LEFT = """
os.kill(os.getpid(), number)
time.sleep(0.5)
print([event.reason for event in line.poll() if event.kind == "save"], handled, flush=True)
os.kill(os.getpid(), signal.SIGTERM)
reasons = []
while not reasons:
    reasons += [event.reason for event in line.poll() if event.kind == "save"]
    time.sleep(0.01)
print(*reasons, flush=True)
"""


def run(
    code: str, url: str, number: int = signal.SIGTERM, before: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START.replace("BEFORE", before) + code, url, str(int(number))],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("number", TAKEN)
def test_a_forked_child_ends_as_ever(nowhere: str, number: signal.Signals) -> None:
    """As those of Python's multiprocessing, which has no host thread."""
    done = run(FORK, nowhere, number)
    assert (done.returncode, done.stdout) == (0, f"{-number}\n"), done.stderr


@pytest.mark.parametrize("number", TAKEN)
def test_it_is_heard_until_the_line_is_closed(nowhere: str, number: signal.Signals) -> None:
    done = run(HEARD, nowhere, number)
    assert (done.returncode, done.stdout) == (-number, "termination\n"), done.stderr


def test_one_that_is_ignored_stays_so(nowhere: str) -> None:
    """As SIGHUP is under nohup."""
    ignore = "signal.signal(number, signal.SIG_IGN)"
    done = run(LEFT, nowhere, signal.SIGHUP, ignore)
    assert (done.returncode, done.stdout) == (0, "[] []\ntermination\n"), done.stderr


def test_one_that_has_a_handler_is_its_own(nowhere: str) -> None:
    handle = "signal.signal(number, lambda *_: handled.append(1))"
    done = run(LEFT, nowhere, signal.SIGUSR1, handle)
    assert (done.returncode, done.stdout) == (0, "[] [1]\ntermination\n"), done.stderr
