"""Memory that being connected adds to a Blender."""

from __future__ import annotations

import time
from pathlib import Path

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


def measure(site: Site) -> list[Figure]:
    added: dict[str, list[float]] = {"ours": [], "peer": []}
    snippets = {"ours": _OURS, "peer": connect(site.peer_packages)}
    with stage(site) as where:
        for turn in range(_ROUNDS):
            site.tell(f"round {turn + 1} of {_ROUNDS}")
            for name, megabytes in _round(where, snippets).items():
                added[name].append(megabytes)
    ours, peer = Sample(tuple(added["ours"])), Sample(tuple(added["peer"]))
    return [
        Figure(
            row="memory",
            what="private memory",
            unit="MB",
            ours=ours.median,
            peer=peer.median,
            peer_name="python-socketio's client, connected by websocket",
            goal=Bound(_LIMIT_MB),
            ratio_goal=Bound(_RATIO, at_least=True),
            spread=ours.spread,
            miss="Half of it is the library's code that has run once, which the system may drop "
            "and read again; the rest is Python's modules, the host's threads and the pool that "
            "instances of a policy are made in. Tried: the built-in policy comes compiled, so the "
            "compiler is not touched (8 MB less), and modules are imported when they are needed.",
            note="What no other process shares, after some seconds, less what it was before.",
        )
    ]


def _round(where: Stage, snippets: dict[str, str]) -> dict[str, float]:
    """Megabytes, in two Blenders side by side."""
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
            name: _settled(blender) - before[name] for name, (_user, blender) in blenders.items()
        }
    finally:
        for _user, blender in blenders.values():
            blender.close()


def _settled(blender: Blender) -> float:
    """Its private memory, in megabytes, once it stays the same."""
    end = time.monotonic() + _SETTLE_AT_MOST
    found = _private(blender)
    while time.monotonic() < end:
        time.sleep(_SETTLED_SECONDS)
        before, found = found, _private(blender)
        if abs(found - before) < _SETTLED_MB:
            break
    return found


def _private(blender: Blender) -> float:
    """Megabytes that no other process shares, garbage collected before."""
    blender.run(_COLLECT)
    kilobytes = 0
    for line in Path(f"/proc/{blender.pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("Private_Clean", "Private_Dirty"):
            kilobytes += int(value.split()[0])
    return kilobytes * 1024 / 1e6
