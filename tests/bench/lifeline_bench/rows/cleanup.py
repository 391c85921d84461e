"""The clean-up itself, beside a plain save and quit."""

from __future__ import annotations

import os
import select
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lifeline_harness.blender import Blender
from lifeline_harness.waiting import wait_until

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure, number
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site
from lifeline_bench.stage import Stage, stage

TITLE = "The clean-up, from the deadline to the saved file and to the end of the process"

# Bytes of the file, and how often each is saved by each.
_SIZES = (("1 MB", 1_000_000, 3), ("500 MB", 500_000_000, 3))
_RATIO = 1 / 1.1
_PHASE_SECONDS = 20.0
_END_SECONDS = 120.0
_LOOK_SECONDS = 0.001
# Until the deadline of a plain save, from when it is asked for.
_AHEAD = 1.0

_COMPRESSED_TIMES = {
    "CR8_RETRY_ATTEMPTS": "1",
    "CR8_RETRY_DELAY": "0.1",
    "CR8_RETRY_JITTER": "0",
    "CR8_CLEANUP_TIMEOUT": "5",
    "CR8_WARN_BEFORE": "4.5",
    "CR8_QUIT_FLOOR": "0",
}

_MAKE = """
import os
image = bpy.data.images.new("bytes", 1, 1)
image.use_fake_user = True
data = os.urandom({size})
image.pack(data=data, data_len=len(data))
bpy.ops.wm.save_as_mainfile(filepath={path!r}, compress=False)
"""
_ENABLE = """
import addon_utils
addon_utils.enable("cr8_router", default_set=True)
"""
_CONNECTED = (
    "import cr8_router; "
    "result = cr8_router.started() and cr8_router.handler().status()['connected']"
)
_DEADLINE = """
import time, cr8_router
left = cr8_router.handler().status()["remaining"]
result = None if left is None else time.monotonic() + left
"""
_PLAIN = """
import os, time

def save_and_quit():
    bpy.ops.wm.save_mainfile()
    {then}
    bpy.ops.wm.quit_blender()

bpy.app.timers.register(save_and_quit, first_interval={ahead})
result = time.monotonic() + {ahead}
"""
_FLUSH = """
    for path in (bpy.data.filepath, os.path.dirname(bpy.data.filepath)):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
"""


class _Times(NamedTuple):
    """Milliseconds: after the deadline; and for reading the file back, if that is done."""

    saved: float
    gone: float
    read_back: float = 0.0


def measure(site: Site) -> list[Figure]:
    figures = []
    with stage(site) as where:
        for name, size, rounds in _SIZES:
            path = site.scratch / "work.blend"
            _make(where, path, size)
            site.tell(f"{name}, {rounds} rounds")
            figures += _figures(name, _rounds(where, path, rounds))
    return figures


def _make(where: Stage, path: Path, size: int) -> None:
    _user, blender = where.start()
    with blender:
        blender.run(_MAKE.format(size=size, path=str(path)), _END_SECONDS)


def _rounds(where: Stage, path: Path, rounds: int) -> dict[str, list[_Times]]:
    competitors: dict[str, Callable[[], _Times]] = {
        "ours": lambda: _ours(where, path),
        "plain": lambda: _plain(where, path, "pass"),
        "flushed": lambda: _plain(where, path, _FLUSH.strip()),
    }
    times: dict[str, list[_Times]] = {name: [] for name in competitors}
    names = list(competitors)
    for turn in range(rounds):
        for name in names[turn:] + names[:turn]:
            os.sync()  # what the last one has left to be written
            times[name].append(competitors[name]())
    return times


def _figures(size: str, times: dict[str, list[_Times]]) -> list[Figure]:
    figures = []
    read_back = statistics.median(one.read_back for one in times["ours"])
    miss = (
        f"Of ours, {number(read_back)} ms are flushing the file and reading it back from the disk, "
        "which the peer does not do: without it nobody knows that the work is safe before the "
        "machine is taken away. Tried: the save begins at the deadline itself, a large file is "
        "hashed while it is read back, and nothing is drawn between save and quit."
    )
    for part, what in enumerate(("saved", "process gone")):
        samples = {name: Sample(tuple(one[part] for one in given)) for name, given in times.items()}
        for peer, peer_name in (
            ("plain", "save_mainfile and quit_blender"),
            ("flushed", "the same, flushed to the disk in between"),
        ):
            figures.append(
                Figure(
                    row="cleanup",
                    what=f"{size}, {what}" + (", peer flushes too" if peer == "flushed" else ""),
                    unit="ms",
                    ours=samples["ours"].median,
                    peer=samples[peer].median,
                    peer_name=peer_name,
                    ratio_goal=Bound(_RATIO, at_least=True),
                    spread=samples["ours"].spread,
                    note="From outside: the file has been replaced; the process has ended.",
                    miss=miss,
                )
            )
    return figures


def _ours(where: Stage, path: Path) -> _Times:
    user, blender = where.start(path, _COMPRESSED_TIMES)
    with blender:
        blender.run(_ENABLE)
        wait_until("a connected add-on", lambda: blender.run(_CONNECTED), _PHASE_SECONDS)
        where.engine.wait_for_blender(user)
        where.engine.kill()
        try:
            deadline = wait_until("a countdown", lambda: blender.run(_DEADLINE), _PHASE_SECONDS)
            times = _watch(blender, path, deadline)
        finally:
            where.engine.start()
        believed = blender.wait_for_line("Saved in", _PHASE_SECONDS).at
        return times._replace(read_back=(believed - deadline) * 1e3 - times.saved)


def _plain(where: Stage, path: Path, then: str) -> _Times:
    _user, blender = where.start(path)
    with blender:
        return _watch(blender, path, blender.run(_PLAIN.format(then=then, ahead=_AHEAD)))


def _watch(blender: Blender, path: Path, deadline: float) -> _Times:
    """Until the process has ended."""
    before = path.stat().st_ino
    end = time.monotonic() + _END_SECONDS
    process = os.pidfd_open(blender.pid)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    saved = None
    try:
        while not poll.poll(_LOOK_SECONDS * 1e3):
            if time.monotonic() > end:
                raise BenchError(f"Blender has not ended:\n{blender.lines.tail()}")
            if saved is None and _inode(path) not in (None, before):
                saved = time.monotonic()
        gone = time.monotonic()
    finally:
        os.close(process)
    if saved is None:
        raise BenchError(f"the file was not saved:\n{blender.lines.tail()}")
    return _Times(saved=(saved - deadline) * 1e3, gone=(gone - deadline) * 1e3)


def _inode(path: Path) -> int | None:
    """None: between the two renames there is no such file."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
