"""What a line leaves in a process: threads and sockets. Read in `/proc`."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

# Those of connections, of an asking beside one, of a policy that is loaded, of its file, of the
# time that its calls may take, of a saved file that is read back, of the journal, of the last
# resort; and the host's own.
_THREADS = (
    "lifeline-link",
    "lifeline-probe",
    "lifeline-load",
    "lifeline-policy",
    "lifeline-clock",
    "lifeline-keep",
    "lifeline-file",
    "lifeline-watch",
    "lifeline",
)
_REMOTE, _INODE = 2, 9


def line_threads(pid: int) -> Counter[str]:
    """The line's threads by kind."""
    names: Counter[str] = Counter()
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            name = (task / "comm").read_text().strip()
            names.update([kind for kind in _THREADS if name.startswith(kind)][:1])
    return names


def sockets_to(pid: int, port: int) -> int:
    """How many open TCP sockets of the process have this port at their other end."""
    folder = Path("/proc") / str(pid)
    own = set()
    for descriptor in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):
            own.add(os.readlink(descriptor))
    rows = [row.split() for row in (folder / "net" / "tcp").read_text().splitlines()[1:]]
    return sum(
        f"socket:[{row[_INODE]}]" in own and int(row[_REMOTE].rpartition(":")[2], 16) == port
        for row in rows
    )
