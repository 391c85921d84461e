"""How fast things go: everything in fractions of seconds. Times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timing:
    """Of a soak.

    The line notices a silent server after ping_interval + ping_timeout at most. down: how long a
    server stays away at most. patience: what must happen is waited for this long. settle: what is
    on its way to its end may take so long.
    """

    ping_interval: float
    ping_timeout: float
    down: float
    patience: float
    settle: float
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def lasting(self) -> float:
        """A connection that is lost sooner has not ended the outage."""
        return 3 * self.settings["retry_delay_max"]

    @property
    def connect_timeout(self) -> float:
        return self.settings["connect_timeout"]


_ATTEMPTS = {
    "retry_attempts": 3,
    "retry_delay": 0.05,
    "retry_delay_max": 0.15,
    "retry_jitter": 0.02,
    "connect_timeout": 0.6,
    "quit_floor": 0.2,
    # A process whose main thread does not claim a quit is ended; here nobody claims one.
    "quit_timeout": 3600,
    # A policy that never ends its outage is disabled after this long, longer than patient takes.
    "outage_limit": 8,
    # What a policy that goes on for ever may use up.
    "policy_fuel": 2_000_000,
}

# A save is due about 1.1 s after a loss.
PLAIN = Timing(
    ping_interval=0.3,
    ping_timeout=0.6,
    down=0.7,
    patience=20.0,
    settle=10.0,
    settings={**_ATTEMPTS, "cleanup_timeout": 0.6},
)

# Every outage but the last one ends long before the save.
BLENDER = Timing(
    ping_interval=0.5,
    ping_timeout=1.0,
    down=1.5,
    patience=30.0,
    settle=15.0,
    settings={**_ATTEMPTS, "connect_timeout": 1.0, "cleanup_timeout": 8, "quit_timeout": 30},
)
