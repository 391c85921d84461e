"""Ports that a server keeps over its restarts.

A port that the system chooses is free again while the server is down: another process, or an
outgoing connection, may get it. These are none that the system gives away.
"""

from __future__ import annotations

import itertools
import os
import socket

from lifeline_harness.errors import HarnessError

# Below what Linux gives to outgoing connections (32768 and more). Tests within a test have others.
FIRST = int(os.environ.get("LIFELINE_FIRST_PORT", "20000"))
EACH_WORKER = 1_000

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_next = itertools.cycle(range(EACH_WORKER))


def first_port() -> int:
    """The first one of this worker's."""
    return FIRST + _worker * EACH_WORKER


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens at, and no other worker takes.

    Raises HarnessError if all are taken.
    """
    for _ in range(EACH_WORKER):
        port = first_port() + next(_next)
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise HarnessError(f"no port is free from {first_port()} on")
