"""How long a server's event waits for its handler when nothing was said for a long time before.

What else there is to wake an idle Blender 3.4 with, measured with software drawing on two busy
cores, from the thread to Python on the main thread (medians of 30): a timer that is registered by
the thread, 2.6 ms; an area that is tagged to be redrawn, 480 ms, and an X event (Expose) by a
connection of one's own, 540 ms, since both wait for a whole redraw. Not measured: Python's pending
calls and a pipe, at which nobody looks while it sleeps. A timer that looks ten times a second would
wake it ten times a second. In the list of timers, which has no lock, one is added only while the
main thread sleeps: see `while_main_thread_sleeps`.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack

from lifeline_harness.blender import Blender

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.original import EARLIER, NEWEST, connect_and_drain
from lifeline_bench.repeat import Sample
from lifeline_bench.rows.events import OURS, sample
from lifeline_bench.site import Site
from lifeline_bench.stage import stage

TITLE = "A server's event after a long silence, until its handler runs on the main thread"

_EVENTS = 9
_SILENCE = 40.0
_SPREAD = 1.0
_LAST_SECONDS = 3.0
_SEED = 20
_LIMIT_MS = 100.0


def measure(site: Site) -> list[Figure]:
    waits = _waits(site)
    ours = waits["ours"]
    return [
        Figure(
            row="silence",
            what=f"median; the peer is drained {drain.pace}",
            unit="ms",
            ours=ours.median,
            peer=waits[drain.name].median,
            peer_name=drain.name,
            goal=Bound(_LIMIT_MS),
            spread=ours.spread,
            note=f"{_EVENTS} events with {_SILENCE:g} s and up to {_SPREAD:g} s more between them, "
            "to one Blender of each kind, side by side. Ours looks once a second by then, and is "
            "woken: a thread that waits for news has Blender call the timer at once.",
        )
        for drain in (NEWEST, EARLIER)
    ]


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
        moments = random.Random(_SEED)  # noqa: S311 - no secret
        site.tell(f"{_EVENTS} events, each after {_SILENCE:g} s of silence")
        for _number in range(_EVENTS):
            time.sleep(_SILENCE + moments.uniform(0.0, _SPREAD))
            for user, _blender in there.values():
                where.engine.emit_stamped(user, "beat")
        time.sleep(_LAST_SECONDS)
        return {name: sample(name, blender, _EVENTS) for name, (_user, blender) in there.items()}
