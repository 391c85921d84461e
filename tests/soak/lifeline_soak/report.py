"""What a person reads of a soak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lifeline_soak.checks import Baseline
from lifeline_soak.leaks import Growth
from lifeline_soak.memory import MIB
from lifeline_soak.plan import FAULTS, Cycle


@dataclass
class Tally:
    """What there was so far. outages: how many there were, counted: by the client."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    swaps: int = 0
    requests: int = 0
    outages: int = 0
    counted: int = 0

    def add(self, cycle: Cycle, *, outages: int, counted: int) -> None:
        self.faults[cycle.fault] += 1
        self.swaps += cycle.swap is not None
        self.requests += cycle.request is not None
        self.outages += outages
        self.counted += counted

    def __str__(self) -> str:
        kinds = [f"{name} {self.faults[name]}" for name in FAULTS if self.faults[name]]
        kinds += [f"swap {self.swaps}", f"request {self.requests}"]
        return (
            f"{self.faults.total():,} cycles, seed {self.seed}: {', '.join(kinds)}; "
            f"outages {self.counted:,} counted of {self.outages:,}"
        )


def traces(before: Baseline, after: Baseline, resident: Growth) -> str:
    """Threads, descriptors and memory, at the beginning and at the end."""
    pairs = [
        ("threads", before.threads.total(), after.threads.total()),
        ("descriptors", before.descriptors.total(), after.descriptors.total()),
        ("the server's", before.server.total(), after.server.total()),
    ]
    words = [f"{what} {first}→{last}" for what, first, last in pairs]
    if ends := resident.ends():
        first, last = (size / MIB for size in ends)
        words.append(f"memory {first:.1f}→{last:.1f} MiB")
    return ", ".join(words)


def violation(where: str, happened: list[str], faults: list[str], again: str) -> str:
    """All that one needs to find out why. where: the cycle, or the cycles."""
    lines = [f"soak: VIOLATION {where}"]
    lines += [f"  {line}" for line in happened]
    lines += [f"  ✗ {fault}" for fault in faults]
    lines += [f"  again: {again}"]
    return "\n".join(lines)
