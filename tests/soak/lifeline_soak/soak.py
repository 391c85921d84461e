"""One cycle after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from lifeline_harness.errors import HarnessError

from lifeline_soak import faults, plan, report, swaps
from lifeline_soak.checks import Baseline, settle
from lifeline_soak.errors import ViolationError
from lifeline_soak.leaks import Growth
from lifeline_soak.plan import Cycle, FaultName, Swap, Way
from lifeline_soak.report import Tally
from lifeline_soak.site import Site


class Memory(Protocol):
    """How much the client uses."""

    resident: Growth

    def sample(self, pid: int) -> None: ...

    def faults(self) -> list[str]: ...


@dataclass(frozen=True)
class Order:
    """What to do. first: the number of the first cycle; report_every: cycles."""

    seed: int
    cycles: int
    first: int
    faults: tuple[FaultName, ...]
    report_every: int
    command: str
    """The words that start a soak of this kind."""

    def again(self, number: int, cycles: int) -> str:
        """The command that repeats these cycles."""
        return f"{self.command} --seed {self.seed} --from {number} --cycles {cycles}"


class Soak:
    """A site, and the cycles that it goes through."""

    def __init__(self, site: Site, memory: Memory, order: Order) -> None:
        self._site = site
        self._memory = memory
        self._order = order
        self._tally = Tally(order.seed)
        self._begun = time.monotonic()

    def run(self) -> str:
        """The summary. Raises ViolationError, as one text that tells everything."""
        baseline = self._warm_up()
        every = self._order.report_every
        numbers = range(self._order.first, self._order.first + self._order.cycles)
        for number in numbers:
            self._one(plan.cycle(self._order.seed, number, self._order.faults), baseline)
            done = number - self._order.first + 1
            if done % every == 0 or number == numbers[-1]:
                self._look_at_growth(done)
                self._progress(baseline)
        last = Baseline.now(self._site)
        traces = report.traces(baseline, last, self._memory.resident)
        return f"soak: {self._tally}; {traces}; nothing left over"

    def _warm_up(self) -> Baseline:
        """Everything once that leaves something behind for good, like a library that is loaded."""
        ways: tuple[Way, ...] = ("file", "bytes", "push", "watched")
        for way in ways:
            swap = Swap("render-guard", way, during=False)
            cycle = Cycle(self._order.seed, 0, "flap", 0.0, losses=("goodbye",), swap=swap)
            self._one(cycle, None)
        self._tally = Tally(self._order.seed)
        return Baseline.at_rest(self._site)

    def _one(self, cycle: Cycle, baseline: Baseline | None) -> None:
        site = self._site
        site.log.begin()
        site.log(str(cycle))
        where = f"in cycle {cycle.number}, seed {cycle.seed}: {cycle}"
        with self._told(where, self._order.again(cycle.number, 1)):
            before = site.client.status()["outages"]
            if before != site.outages:
                wanted = f"expected {site.outages}, as after the last one"
                raise ViolationError([f"outages before the cycle: {before}: {wanted}"])
            swaps.before(site, cycle)
            count = faults.inflict(site, cycle)
            site.wait_back(count.least)
            swaps.back(site, cycle)
            counted = settle(site, count, baseline)
        # What could not be helped counts as it came.
        outages = min(max(counted, count.least), count.most)
        self._tally.add(cycle, outages=outages, counted=counted)
        site.outages += counted
        self._memory.sample(site.client.pid)

    def _look_at_growth(self, done: int) -> None:
        if found := self._memory.faults():
            self._site.log.begin()  # the last cycle alone is not to blame
            where = f"after {done} cycles, seed {self._order.seed}"
            with self._told(where, self._order.again(self._order.first, done)):
                raise ViolationError(found)

    @contextmanager
    def _told(self, where: str, again: str) -> Iterator[None]:
        try:
            yield
        except (HarnessError, ViolationError) as error:
            found = error.faults if isinstance(error, ViolationError) else [str(error)]
            text = report.violation(where, self._site.log.lines(), found, again)
            raise ViolationError([text]) from error

    def _progress(self, baseline: Baseline) -> None:
        took = time.monotonic() - self._begun
        now = report.traces(baseline, Baseline.now(self._site), self._memory.resident)
        print(f"{took:7.1f} s  {self._tally}; {now}", flush=True)
