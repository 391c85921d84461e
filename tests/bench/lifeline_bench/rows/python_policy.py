"""A step of a policy that is written in Python: the component holds an interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.rows.step import compare, tuple_of
from lifeline_bench.site import Site

TITLE = "A policy's step, of a policy written in Python"


def measure(site: Site) -> list[Figure]:
    component = site.policies / "steady.wasm"
    site.tell("both compile 18 MB of WebAssembly first: a minute")
    taken = compare(
        site,
        {
            "ours": (Path(sys.executable), "step_lifeline", [component], [site.packages]),
            "wasmtime-py": (site.peers, "step_wasmtime", [component], []),
        },
    )
    return [
        Figure(
            row="python-policy",
            what="steady, `tick`, called from Python",
            unit="ms",
            ours=taken["ours"].median * 1e3,
            spread=tuple_of(taken["ours"], 1e3),
            peer=taken["wasmtime-py"].median * 1e3,
            peer_name="wasmtime-py, the same component",
            goal=Bound(2.5),
            ratio_goal=Bound(1, at_least=True),
        )
    ]
