"""A terminal that stops jobs in its background when they write (`stty tostop`)."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from tests.python import addon_texts

# Leads a session with this terminal, and starts a job in its background that says one line; tells
# by its exit code whether the job was stopped (1) or has ended (0).
LEADER = """
import fcntl, os, sys, termios, types
terminal, addon = sys.argv[1:]
file = os.open(terminal, os.O_RDWR)
fcntl.ioctl(file, termios.TIOCSCTTY, 0)
mode = termios.tcgetattr(file)
mode[3] |= termios.TOSTOP
termios.tcsetattr(file, termios.TCSANOW, mode)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    while os.tcgetpgrp(file) == os.getpid():
        pass
    os.dup2(file, 1)
    package = types.ModuleType("lifeline")
    package.__path__ = [addon]
    sys.modules["lifeline"] = package
    from lifeline.output import Outlet
    outlet = Outlet(1, told=str)
    outlet.say("said by a job")
    outlet.close(10)
    os._exit(0)
_, status = os.waitpid(job, os.WUNTRACED)
os._exit(1 if os.WIFSTOPPED(status) else 0)
"""


def test_a_job_in_the_background_is_not_stopped_over_its_log() -> None:
    ours, theirs = pty.openpty()
    try:
        leader = subprocess.Popen(
            [sys.executable, "-c", LEADER, os.ttyname(theirs), str(addon_texts.ADDON)],
            start_new_session=True,
        )
        try:
            assert leader.wait(30) == 0
            assert read(ours) == "said by a job"
        finally:
            leader.kill()
    finally:
        os.close(ours)
        os.close(theirs)


def read(terminal: int) -> str:
    os.set_blocking(terminal, False)
    said = b""
    end = time.monotonic() + 10
    while b"\n" not in said and time.monotonic() < end:
        try:
            said += os.read(terminal, 4096)
        except BlockingIOError:
            time.sleep(0.01)
    return said.decode().strip()
