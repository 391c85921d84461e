"""A step of a policy from Python, each in a fresh sandbox."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from lifeline_bench import criterion
from lifeline_bench.competitor import Competitor
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import Sample, in_turn
from lifeline_bench.site import Site

TITLE = "A policy's step, from Python, a fresh sandbox each time"
ROUNDS = 7


def measure(site: Site) -> list[Figure]:
    plain = [site.bindings, site.root / "guest" / "python" / "steady"]
    taken = compare(
        site,
        {
            "ours": (Path(sys.executable), "step_lifeline", [site.five_minutes], [site.packages]),
            "wasmtime-py": (site.peers, "step_wasmtime", [site.five_minutes], []),
            "python": (Path(sys.executable), "step_python", [], plain),
        },
    )
    site.tell("criterion: the same from Rust")
    criterion.run(site, "step")
    ours = taken["ours"].median * 1e6
    machine = criterion.median(site, "step", "native") * 1e6
    return [
        Figure(
            row="step",
            what="five-minutes, `tick`, called from Python",
            unit="µs",
            ours=ours,
            spread=tuple_of(taken["ours"], 1e6),
            peer=taken["wasmtime-py"].median * 1e6,
            peer_name="wasmtime-py, the same component",
            goal=Bound(5),
            ratio_goal=Bound(100, at_least=True),
            note="Ours hands the state over as it is; wasmtime-py makes Python objects of every "
            "record, each way.",
        ),
        Figure(
            row="step",
            what="the same, beside plain Python",
            unit="µs",
            ours=ours,
            peer=taken["python"].median * 1e6,
            peer_name="the policy `steady` as plain Python, without a sandbox",
            note="Plain Python gets a copy of the state for each call, which is part of its time: "
            "its calls may change their arguments.",
        ),
        Figure(
            row="step",
            what="the same, from Rust (criterion)",
            unit="µs",
            ours=criterion.median(site, "step", "sandbox") * 1e6,
            peer=machine,
            peer_name="the machine as native code, without a sandbox",
            note="What the sandbox costs is the difference to the native machine: an instance of "
            "its own for each call, fuel, and limits.",
        ),
    ]


def tuple_of(sample: Sample, scale: float) -> tuple[float, float]:
    """The spread, in the figure's unit."""
    low, high = sample.spread
    return low * scale, high * scale


def compare(
    site: Site,
    competitors: dict[str, tuple[Path, str, Sequence[str | Path], Sequence[Path]]],
    rounds: int = ROUNDS,
) -> dict[str, Sample]:
    """Seconds per step of each, asked in turn."""
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Competitor(python, module, arguments, path))
            for name, (python, module, arguments, path) in competitors.items()
        }
        for one in running.values():
            one.ready()
        return in_turn({name: one.ask for name, one in running.items()}, rounds, site.tell)
