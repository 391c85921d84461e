"""What happens in a cycle. It follows from the seed and the cycle's number alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, get_args

FaultName = Literal[
    "kill", "stop", "freeze-short", "freeze-long", "flap", "slow", "too-slow", "refuse", "save"
]
Loss = Literal["goodbye", "close", "kill"]
SaveEnd = Literal["unclaimed", "in-mid-save", "failed-late", "saved", "failed"]
RequestName = Literal["hold", "hold-release", "extend"]
Way = Literal["file", "bytes", "push", "watched"]

FAULTS: tuple[FaultName, ...] = get_args(FaultName)
# Those that leave a Blender open: it would not wait in mid-save until a server is back.
SURVIVED = tuple(fault for fault in FAULTS if fault != "save")

# A swap to one of these is taken; one to `broken` is refused.
SHIPPED = ("five-minutes", "render-guard", "patient")
BROKEN = "broken"
HOSTILE = "hostile:"

# What the hostile policy does, of the modes that tests/policies/hostile/README.md describes.
MODES = (
    "deadline-max",
    "endless-loop",
    "garbage-phase",
    "holds-unasked",
    "ignores-reconnect",
    "memo-8mb",
    "memory-bomb",
    "never-wakes",
    "quit-before-save",
    "quits-at-once",
    "save-while-connected",
    "saves-twice",
    "stack-overflow",
    "stale-seen",
    "thousand-actions",
    "trap",
    "wakes-every-0ms",
)

FLAPS_MAX = 4
SWAPS = 0.35
REQUESTS = 0.3


@dataclass(frozen=True)
class Swap:
    """Another policy, and the way back at the cycle's end.

    policy: of SHIPPED, BROKEN, or HOSTILE and the mode. during: in the outage, not before it.
    """

    policy: str
    way: Way
    during: bool


@dataclass(frozen=True)
class Cycle:
    """One cycle. share: from 0 to 1, how long things last, within the fault's own limits."""

    seed: int
    number: int
    fault: FaultName
    share: float
    losses: tuple[Loss, ...] = ()
    save_end: SaveEnd | None = None
    request: RequestName | None = None
    swap: Swap | None = None

    def __str__(self) -> str:
        words: list[str] = [self.fault, *self.losses]
        words += [self.save_end] if self.save_end else []
        words += [f"and {self.request}"] if self.request else []
        if self.swap:
            when = "in the outage" if self.swap.during else "before"
            words.append(f"with {self.swap.policy} by {self.swap.way} {when}")
        return f"{' '.join(words)} ({self.share:.2f})"


def cycle(seed: int, number: int, faults: tuple[FaultName, ...] = FAULTS) -> Cycle:
    """The cycle of this number. faults: to choose from."""
    # Not secret, and a text makes a seed that is the same everywhere.
    dice = random.Random(f"{seed}/{number}")  # noqa: S311
    fault = dice.choice(faults)
    share = dice.random()
    losses: tuple[Loss, ...] = ()
    save_end: SaveEnd | None = None
    if fault == "flap":
        losses = tuple(dice.choices(get_args(Loss), (6, 1, 2), k=dice.randint(2, FLAPS_MAX)))
    if fault == "save":
        save_end = dice.choice(get_args(SaveEnd))
    return Cycle(
        seed,
        number,
        fault,
        share,
        losses,
        save_end,
        request=_request(dice, fault),
        swap=_swap(dice, fault),
    )


def _request(dice: random.Random, fault: FaultName) -> RequestName | None:
    wanted: RequestName = dice.choice(get_args(RequestName))
    if dice.random() >= REQUESTS or fault in ("freeze-short", "flap"):
        return None
    # A line that is held never gets to its save.
    return "extend" if fault == "save" else wanted


def _swap(dice: random.Random, fault: FaultName) -> Swap | None:
    policy = dice.choice([*SHIPPED, BROKEN, HOSTILE, HOSTILE])
    if policy == HOSTILE:
        policy += dice.choice(MODES)
    way: Way = dice.choice(get_args(Way))
    during = dice.random() < 0.5
    if dice.random() >= SWAPS:
        return None
    if policy == BROKEN and way == "watched":
        way = "file"  # a file that may still be written is waited for
    if fault in ("freeze-short", "flap") or way == "push":
        during = False
    return Swap(policy, way, during)
