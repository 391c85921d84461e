"""The rows, in the order of the table.

A row is a module with `TITLE`, a sentence, and `measure(site)`, which gives its figures.
"""

from __future__ import annotations

from typing import Protocol

from lifeline_bench.figure import Figure
from lifeline_bench.rows import (
    cleanup,
    compiling,
    enabling,
    events,
    fleet,
    loading,
    loss,
    lost_path,
    memory,
    polling,
    probing,
    python_policy,
    silence,
    simulation,
    sizes,
    step,
    swap,
    uploading,
)
from lifeline_bench.site import Site


class Row(Protocol):
    """What a module of this package is."""

    TITLE: str

    def measure(self, site: Site) -> list[Figure]:
        """Measure ours and the peer's in turn. Raises BenchError."""


ROWS: dict[str, Row] = {
    "step": step,
    "python-policy": python_policy,
    "enabling": enabling,
    "memory": memory,
    "polling": polling,
    "swap": swap,
    "loading": loading,
    "compiling": compiling,
    "loss": loss,
    "lost-path": lost_path,
    "probing": probing,
    "events": events,
    "silence": silence,
    "cleanup": cleanup,
    "uploading": uploading,
    "sizes": sizes,
    "fleet": fleet,
    "simulation": simulation,
}
