"""A short soak of a real Blender, to its end."""

from __future__ import annotations

from pathlib import Path

from lifeline_harness import processes
from lifeline_harness.display import Display
from lifeline_soak import farewell, opening
from lifeline_soak.memory import BlendersMemory
from lifeline_soak.plan import SURVIVED
from lifeline_soak.soak import Order, Soak

SEED = 7
CYCLES = 3


def test_a_short_soak(tmp_path: Path, display: Display) -> None:
    before = processes.descendants()
    order = Order(SEED, CYCLES, first=1, faults=SURVIVED, report_every=100, command="soak")
    with opening.in_blender(tmp_path, display) as (site, blender, file):
        summary = Soak(site, BlendersMemory(), order).run()
        farewell.part(site, blender, file)
    assert summary.endswith("; nothing left over")
    processes.assert_none_left(before)
