"""How long everything takes: the true times, or compressed ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Times in seconds.

    environment: the settings that Blender is given. step: between two plain lines about the
    countdown. limit: something is wrong if Blender has not closed this long after the loss.
    """

    environment: Mapping[str, str]
    step: float
    limit: float


# Attempts after 0.2, 0.4, 0.8, 1 and 1 s.
COMPRESSED = Schedule(
    environment={
        "CR8_RETRY_DELAY": "0.2",
        "CR8_RETRY_DELAY_MAX": "1",
        "CR8_RETRY_JITTER": "0.05",
        "CR8_CLEANUP_TIMEOUT": "10",
        "CR8_WARN_BEFORE": "5",
        "CR8_QUIT_FLOOR": "1",
    },
    step=2.0,
    # A patient policy takes six times as long.
    limit=180.0,
)

# The defaults: attempts for 34 s, then a countdown of 300 s.
REAL_TIME = Schedule(environment={}, step=30.0, limit=2700.0)
