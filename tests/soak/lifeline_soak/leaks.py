"""Does a quantity grow from cycle to cycle?"""

from __future__ import annotations

import statistics
from array import array
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Bounds:
    """What growth is none. warm_up: cycles at the beginning, in which caches are filled.

    steady: in each cycle, if it goes on and on. total: from the begin to the end, whatever the
    number of cycles, for what is filled later or doubled in one step. The cycles are divided into
    so many stretches, of so many cycles each at least: before that nothing is said.
    """

    warm_up: int
    steady: float
    total: float
    stretches: int = 12
    shortest: int = 4


class Growth:
    """The samples of a quantity, one for each cycle.

    Of each stretch of cycles the lowest sample counts: a leak raises the floor,
    while work that has not been cleared away yet only makes peaks.
    """

    def __init__(self, what: str, unit: str, bounds: Bounds) -> None:
        self._what = what
        self._unit = unit
        self._bounds = bounds
        # Numbers, and no objects: what measures must not grow itself.
        self._samples = array("q")

    def add(self, sample: int) -> None:
        self._samples.append(sample)

    def ends(self) -> tuple[int, int] | None:
        """The floors of the first and of the last stretch; None: there are too few samples."""
        floors = self._floors()
        return (floors[0], floors[-1]) if floors else None

    def faults(self) -> list[str]:
        """A sentence if it grows."""
        floors = self._floors()
        if not floors:
            return []
        bounds, length = self._bounds, self._length()
        # Three in four stretches end higher than they begin by this much or more: noise goes up and
        # down, and a step is one of them.
        rises = [after - before for before, after in pairwise(floors)]
        steady = statistics.quantiles(rises, n=4, method="inclusive")[0] / length
        if steady > bounds.steady:
            return [
                f"{self._what}: grew by {steady:,.1f} {self._unit} a cycle: expected no more than "
                f"{bounds.steady:,.1f} ({floors[0]:,} to {floors[-1]:,})"
            ]
        total = floors[-1] - floors[0]
        allowed = bounds.total + bounds.steady * length * len(rises)
        if total > allowed:
            return [
                f"{self._what}: grew by {total:,} {self._unit}: expected no more than "
                f"{allowed:,.0f} ({floors[0]:,} to {floors[-1]:,})"
            ]
        return []

    def _length(self) -> int:
        return (len(self._samples) - self._bounds.warm_up) // self._bounds.stretches

    def _floors(self) -> list[int]:
        length = self._length()
        if length < self._bounds.shortest:
            return []
        counted = self._samples[-length * self._bounds.stretches :]
        return [min(counted[at : at + length]) for at in range(0, len(counted), length)]
