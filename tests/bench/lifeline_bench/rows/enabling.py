"""What enabling costs Blender's main thread, beside importing python-socketio's client."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from lifeline_harness.profile import ADDON
from lifeline_harness.waiting import wait_until

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.original import CONSTRUCTION
from lifeline_bench.repeat import in_turn
from lifeline_bench.site import Site
from lifeline_bench.stage import Stage, stage

TITLE = "Enabling the add-on in a Blender with a window, time on its main thread"

_WARM_ROUNDS = 5
_COLD_ROUNDS = 3
_CONNECTED_SECONDS = 30.0
_WARM_LIMIT_MS = 5.0
_RATIO = 25.0

_MISS = (
    "Blender's registering of the add-on's classes and settings takes 1 ms of it, the add-on's "
    "first two modules and the thread 1.5 ms, making the line and the first ticks the rest. "
    "Tried: all other modules are imported on a thread, which makes the fields and the "
    "translations, too; settings are looked up once, and operators carry no annotations that "
    "Blender would evaluate."
)

_BYTE_CODE = """
import sys, time
sys.pycache_prefix, sys.dont_write_bytecode = {byte_code!r}, {kept!r}
"""

# Each of the add-on's timers is timed until it is connected.
_OURS = (
    _BYTE_CODE
    + """
import addon_utils, builtins
timers, wrapped, spent = bpy.app.timers, {{}}, [0.0]
register, unregister, is_registered = timers.register, timers.unregister, timers.is_registered

def connected():
    import cr8_router
    line = cr8_router.handler() if cr8_router.started() else None
    return line is not None and line.status()["connected"]

def timed(function):
    def tick():
        begun = time.perf_counter()
        try:
            return function()
        finally:
            took = time.perf_counter() - begun
            if builtins.connected_after is None:
                spent[0] += took
                if connected():
                    builtins.connected_after = spent[0]
    return tick

builtins.connected_after = None
timers.register = lambda function, **how: register(
    wrapped.setdefault(function, timed(function)), **how
)
timers.unregister = lambda function: unregister(wrapped[function])
timers.is_registered = lambda function: function in wrapped and is_registered(wrapped[function])
begun = time.perf_counter()
addon_utils.enable("cr8_router", default_set=True)
spent[0] += time.perf_counter() - begun
"""
)

_PEER = (
    _BYTE_CODE
    + """
sys.path.insert(0, {packages!r})
begun = time.perf_counter()
"""
    + CONSTRUCTION
    + """
result = time.perf_counter() - begun
"""
)


def measure(site: Site) -> list[Figure]:
    with stage(site) as where:
        folder = site.scratch / "byte-code"
        ours, peer = partial(_ours, where), partial(_peer, where)
        ours(folder, kept=True)  # leave the byte code behind
        peer(folder, kept=True)
        warm = in_turn(
            {"ours": lambda: ours(folder), "peer": lambda: peer(folder)}, _WARM_ROUNDS, site.tell
        )
        cold = in_turn(
            {"ours": lambda: _cold(where, ours), "peer": lambda: _cold(where, peer)},
            _COLD_ROUNDS,
            site.tell,
        )
    where_it_goes = (
        "Enabling, and all ticks until the line is connected. Most modules are imported on a "
        "thread of their own meanwhile; that Blender's drawing may wait for Python's lock then is "
        "not in it."
    )
    return [
        Figure(
            row="enabling",
            what="warm",
            unit="ms",
            ours=warm["ours"].median,
            peer=warm["peer"].median,
            peer_name="python-socketio: import and construction",
            goal=Bound(_WARM_LIMIT_MS),
            ratio_goal=Bound(_RATIO, at_least=True),
            spread=warm["ours"].spread,
            miss=_MISS,
            note=where_it_goes,
        ),
        Figure(
            row="enabling",
            what="cold",
            unit="ms",
            ours=cold["ours"].median,
            peer=cold["peer"].median,
            peer_name="python-socketio: import and construction",
            ratio_goal=Bound(_RATIO, at_least=True),
            spread=cold["ours"].spread,
            miss=_MISS,
            note="Cold: no byte code of any module, and the packages' files not in memory.",
        ),
    ]


def _ours(where: Stage, byte_code: Path, *, kept: bool = False) -> float:
    """Milliseconds."""
    _user, blender = where.start()
    with blender:
        blender.run(_OURS.format(byte_code=str(byte_code), kept=not kept))
        told = "import builtins; result = builtins.connected_after"
        seconds = wait_until("a connected add-on", lambda: blender.run(told), _CONNECTED_SECONDS)
    return float(seconds) * 1e3


def _peer(where: Stage, byte_code: Path, *, kept: bool = False) -> float:
    """Milliseconds."""
    _user, blender = where.start()
    with blender:
        packages = str(where.site.peer_packages)
        snippet = _PEER.format(byte_code=str(byte_code), kept=not kept, packages=packages)
        return float(blender.run(snippet)) * 1e3


def _cold(where: Stage, one: partial[float]) -> float:
    nowhere = where.site.scratch / "no-byte-code"
    shutil.rmtree(nowhere, ignore_errors=True)
    for folder in (ADDON, where.site.packages, where.site.peer_packages):
        _forget(folder)
    return one(nowhere)


def _forget(folder: Path) -> None:
    """Have the system drop what it holds of the files in memory, as far as nobody uses them."""
    if not folder.is_dir():
        raise BenchError(f"{folder} is not there")
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
