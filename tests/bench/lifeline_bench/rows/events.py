"""How long a server's event waits for its handler on Blender's main thread."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack

from lifeline_harness.blender import Blender

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.original import EARLIER, NEWEST, connect_and_drain
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site
from lifeline_bench.stage import stage

TITLE = "A server's event until its handler runs on the main thread, in an active session"

_EVENTS = 200
_MEAN_PAUSE = 0.3
_LAST_SECONDS = 2.0
_SEED = 8

OURS = """
import addon_utils, builtins, time
builtins.waits = []
addon_utils.enable("cr8_router", default_set=True)
import cr8_router
cr8_router.handler().on(
    "beat", lambda data: builtins.waits.append(time.monotonic() - data["sent_at"])
)
"""
_WAITS = "import builtins; result = builtins.waits"


def measure(site: Site) -> list[Figure]:
    waits = _waits(site)
    ours, newest, earlier = (waits[name] for name in ("ours", NEWEST.name, EARLIER.name))
    note = (
        f"{_EVENTS} events at random times, one in {_MEAN_PAUSE:g} s on average, to one Blender "
        "of each kind, side by side. Ours looks 100 times a second for 5 s after each."
    )
    figures = []
    for peer, drain in ((newest, NEWEST), (earlier, EARLIER)):
        for what, share in (("median", 0.5), ("99 %", 0.99)):
            figures.append(
                Figure(
                    row="events",
                    what=f"{what}; the peer is drained {drain.pace}",
                    unit="ms",
                    ours=ours.quantile(share),
                    peer=peer.quantile(share),
                    peer_name=drain.name,
                    ratio_goal=Bound(1.0, at_least=True) if share == 0.5 else None,
                    note=note,
                )
            )
    return figures


def _waits(site: Site) -> dict[str, Sample]:
    """Milliseconds, by who was waiting."""
    snippets = {"ours": OURS}
    for drain in (NEWEST, EARLIER):
        snippets[drain.name] = connect_and_drain(site.peer_packages, drain)
    with stage(site) as where, ExitStack() as running:
        there: dict[str, tuple[str, Blender]] = {}
        for name, snippet in snippets.items():
            user, blender = where.start()
            running.enter_context(blender)
            blender.run(snippet)
            where.engine.wait_for_blender(user)
            there[name] = user, blender
        pauses = random.Random(_SEED)  # noqa: S311 - no secret
        site.tell(f"{_EVENTS} events to each of {len(there)} Blenders")
        users = [user for user, _blender in there.values()]
        for _number in range(_EVENTS):
            time.sleep(pauses.expovariate(1 / _MEAN_PAUSE))
            users.append(users.pop(0))  # another one is the first
            for user in users:
                where.engine.emit_stamped(user, "beat")
        time.sleep(_LAST_SECONDS)
        return {name: sample(name, blender, _EVENTS) for name, (_user, blender) in there.items()}


def sample(name: str, blender: Blender, events: int) -> Sample:
    """How long they have waited, in milliseconds. Raises BenchError unless all have arrived."""
    waits = blender.run(_WAITS)
    if len(waits) != events:
        raise BenchError(f"{name}: {len(waits)} of {events} events arrived")
    return Sample(tuple(seconds * 1e3 for seconds in waits))
