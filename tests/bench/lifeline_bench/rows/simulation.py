"""How fast policies are simulated."""

from __future__ import annotations

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import in_turn
from lifeline_bench.rows.fleet import simulate
from lifeline_bench.site import Site

TITLE = "Simulation: a policy's steps in a second through WebAssembly, on one core"
ROUNDS = 5
OUTAGE_SECONDS = 300.0
WARM_CLIENTS = 20_000
FRESH_CLIENTS = 4_000


def measure(site: Site) -> list[Figure]:
    taken = in_turn(
        {
            "warm": lambda: pace(site, WARM_CLIENTS),
            "fresh": lambda: pace(site, FRESH_CLIENTS, True),
        },
        ROUNDS,
        site.tell,
    )
    return [
        Figure(
            row="simulation",
            what="steps of `five-minutes`",
            unit="steps/s",
            better="more",
            ours=taken["warm"].median,
            spread=taken["warm"].spread,
            peer=taken["fresh"].median,
            peer_name="the same with a fresh instance for each step, as in Blender",
            goal=Bound(1_000_000, at_least=True),
            note="By the processor's time, with all that the simulated clients do in between. "
            "Every 499th step is repeated in a fresh instance, and must give the same decision.",
            miss="What is left: three quarters of a step are the policy's call through the "
            "component model (copying state, settings and decision through the component's memory, "
            "field by field, and the policy itself), a quarter is the core that ships, with its "
            "guard, tickets and tellings. Before clients were simulated by it, but by a loop of "
            "their own, it was 1,050,228 steps/s.",
        )
    ]


def pace(site: Site, clients: int, fresh: bool = False) -> float:
    """Steps in a second of one core. Raises BenchError."""
    told = simulate(
        site, clients=clients, outage=OUTAGE_SECONDS, words=["--fresh"] if fresh else []
    )
    return float(told["steps"]["per_core_s"])
