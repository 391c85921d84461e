"""Where a soak happens: one server, one client, and what both of them leave on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lifeline_harness.engine import Engine

from lifeline_soak.client import Client
from lifeline_soak.log import CycleLog
from lifeline_soak.shelf import Shelf
from lifeline_soak.timing import Timing

USER = "soak"


@dataclass
class Site:
    """outages: how many the client has counted when the cycle begins."""

    engine: Engine
    client: Client
    shelf: Shelf
    journal: Path
    timing: Timing
    log: CycleLog
    outages: int = 0

    def wait_lost(self, number: int = 1) -> None:
        """The client has counted this many outages in this cycle. Raises WaitError."""
        wanted = self.outages + number
        self.client.wait(
            f"outage {wanted}", lambda status: status["outages"] >= wanted, self.timing.patience
        )

    def wait_back(self, number: int = 1) -> None:
        """So many outages of this cycle have ended with the server back. Raises WaitError."""
        wanted = self.outages + number
        self.client.wait(
            f"recovery {wanted}",
            lambda status: status["connected"] and status["recoveries"] >= wanted,
            self.timing.patience,
        )
