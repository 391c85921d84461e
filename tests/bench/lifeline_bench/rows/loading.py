"""Loading a policy: what the compile cache and the built-in machine code save."""

from __future__ import annotations

from lifeline_bench import criterion
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.site import Site

TITLE = "Loading a policy, checks included, from the compile cache and built in"
COMPILING = "compiling it"


def measure(site: Site) -> list[Figure]:
    site.tell("criterion: compiled, cached, built in")
    criterion.run(site, "load")
    compiled, cached, built_in = (
        criterion.median(site, "load", name) * 1e3 for name in ("compiled", "cached", "built-in")
    )
    return [
        Figure(
            row="loading",
            what="five-minutes, from the compile cache",
            unit="ms",
            ours=cached,
            peer=compiled,
            peer_name=COMPILING,
            goal=Bound(1),
        ),
        Figure(
            row="loading",
            what="five-minutes, as it is built in: at each start",
            unit="ms",
            ours=built_in,
            peer=compiled,
            peer_name=COMPILING,
        ),
    ]
