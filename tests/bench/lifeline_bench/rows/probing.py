"""What a fleet that asks costs a server."""

from __future__ import annotations

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.rows import probe_load
from lifeline_bench.site import Site

TITLE = "Asking a silent server whether it lives: what it costs the server"
SHARE = "% of a core"


def measure(site: Site) -> list[Figure]:
    site.tell(f"{probe_load.CLIENTS} connected clients; two minutes")
    told = probe_load.measure()
    fleet = f"{told['fleet']:,.0f} Blenders"
    return [
        Figure(
            row="probing",
            what=f"{fleet}, all idle, at the bound of the default settings",
            unit=SHARE,
            ours=told["share_of_fleet"] * 100,
            goal=Bound(1),
            note=f"An asking costs the server {told['seconds_per_probe'] * 1e3:.2f} ms of a core; "
            f"{told['probes_per_second']:.1f} of them in a second.",
        ),
        Figure(
            row="probing",
            what="what events of an active session cost, and the askings that they allow add",
            unit="%",
            ours=told["share_of_traffic"] * 100,
            goal=Bound(1),
            note=f"An event costs the server {told['seconds_per_event'] * 1e6:.0f} µs.",
        ),
        Figure(
            row="probing",
            what=f"{fleet}, all idle, each asked every {probe_load.UNBOUNDED_SECONDS:.0f} s",
            unit=SHARE,
            ours=told["share_of_fleet_unbounded"] * 100,
            note="That is what no bound would mean: hence idle lines are asked seldom. A line that "
            "has just come up is asked three times, within nine seconds.",
        ),
    ]
