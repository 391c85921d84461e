"""Memory that being connected adds to a Blender."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from lifeline_harness.blender import Blender

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.original import connect
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site
from lifeline_bench.stage import Stage, stage

TITLE = "Memory added to a Blender with a window, connected"

_ROUNDS = 5
# A Blender has settled when its memory stays the same for so long, up to so much.
_SETTLED_SECONDS = 2.0
_SETTLED_MB = 0.1
_SETTLE_AT_MOST = 20.0
_CONNECTED_SECONDS = 4.0
_LIMIT_MB = 6.0
_RATIO = 2.0

_OURS = """
import addon_utils
addon_utils.enable("cr8_router", default_set=True)
"""
_COLLECT = "import gc; gc.collect()"


class _Memory(NamedTuple):
    """Megabytes that no other process shares, and threads."""

    private: float
    anonymous: float
    threads: float

    def less(self, other: _Memory) -> _Memory:
        return _Memory(*(mine - its for mine, its in zip(self, other, strict=True)))


def measure(site: Site) -> list[Figure]:
    added: dict[str, list[_Memory]] = {"ours": [], "peer": []}
    snippets = {"ours": _OURS, "peer": connect(site.peer_packages)}
    with stage(site) as where:
        for turn in range(_ROUNDS):
            site.tell(f"round {turn + 1} of {_ROUNDS}")
            for name, memory in _round(where, snippets).items():
                added[name].append(memory)
    figures = []
    for part, what in enumerate(
        ("all that no other process shares", "of it, what is in no file: it stays taken")
    ):
        ours, peer = (Sample(tuple(one[part] for one in added[name])) for name in ("ours", "peer"))
        figures.append(
            Figure(
                row="memory",
                what=what,
                unit="MB",
                ours=ours.median,
                peer=peer.median,
                peer_name="python-socketio's client, connected by websocket",
                goal=Bound(_LIMIT_MB),
                ratio_goal=Bound(_RATIO, at_least=True),
                spread=ours.spread,
                miss="Most of ours is code of the library that has run once, which the system may "
                "drop and read again, and which a second Blender shares; the rest is Python's "
                "modules, and the threads. Tried: the built-in policy comes compiled, so the "
                "compiler is not touched; modules are imported when they are needed; no TLS is "
                "made ready for a server without it.",
                note="After some seconds, less what it was before.",
            )
        )
    threads = {name: Sample(tuple(one.threads for one in added[name])) for name in added}
    figures.append(
        Figure(
            row="memory",
            what="what it takes beside memory",
            unit="threads",
            ours=threads["ours"].median,
            peer=threads["peer"].median,
            peer_name="python-socketio's client, connected by websocket",
            spread=threads["ours"].spread,
            note="All that there are beside those of before.",
        )
    )
    return figures


def _round(where: Stage, snippets: dict[str, str]) -> dict[str, _Memory]:
    """Of two Blenders side by side."""
    blenders: dict[str, tuple[str, Blender]] = {}
    try:
        for name in snippets:
            blenders[name] = where.start()
        before = {name: _settled(blender) for name, (_user, blender) in blenders.items()}
        for name, (user, blender) in blenders.items():
            blender.run(snippets[name])
            where.engine.wait_for_blender(user)
        time.sleep(_CONNECTED_SECONDS)
        return {
            name: _settled(blender).less(before[name])
            for name, (_user, blender) in blenders.items()
        }
    finally:
        for _user, blender in blenders.values():
            blender.close()


def _settled(blender: Blender) -> _Memory:
    """Its memory once it stays the same."""
    end = time.monotonic() + _SETTLE_AT_MOST
    found = _memory(blender)
    while time.monotonic() < end:
        time.sleep(_SETTLED_SECONDS)
        before, found = found, _memory(blender)
        if abs(found.private - before.private) < _SETTLED_MB:
            break
    return found


def _memory(blender: Blender) -> _Memory:
    """Garbage is collected before."""
    blender.run(_COLLECT)
    kilobytes = {}
    for line in Path(f"/proc/{blender.pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("Private_Clean", "Private_Dirty", "Anonymous"):
            kilobytes[name] = int(value.split()[0])
    private = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    threads = len(list(Path(f"/proc/{blender.pid}/task").iterdir()))
    return _Memory(private * 1024 / 1e6, kilobytes["Anonymous"] * 1024 / 1e6, threads)
