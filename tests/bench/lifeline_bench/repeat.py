"""Several measurements, ours and the peer's in turn, so that a slow minute hits both."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """What one of the competitors gave, run by run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.values), max(self.values)

    def quantile(self, share: float) -> float:
        """share: 0 to 1; the value that this share of the runs did not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def in_turn(
    competitors: Mapping[str, Callable[[], float]], rounds: int, tell: Callable[[str], None]
) -> dict[str, Sample]:
    """Each competitor once per round, the first one another one in each round."""
    values: dict[str, list[float]] = {name: [] for name in competitors}
    names = list(competitors)
    for turn in range(rounds):
        tell(f"round {turn + 1} of {rounds}")
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            values[name].append(competitors[name]())
    return {name: Sample(tuple(given)) for name, given in values.items()}
