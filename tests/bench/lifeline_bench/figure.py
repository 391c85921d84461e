"""One line of the table: what was measured, beside what, and what it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bound:
    """A figure must be at most this, or at least."""

    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Figure:
    """A median and its peer's, in `unit`.

    row: the row that it belongs to. what: which figure of the row. peer_name: what the peer is.
    peer: None: nothing else does this job. goal: for ours. ratio_goal: for `ratio`.
    better: which way is better; it says how the ratio is taken, so that more is better for us.
    spread: the smallest and the largest of our runs. note: what a reader must know with it.
    miss: why the goal was missed, and what was tried; shown only if it was.
    """

    row: str
    what: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    goal: Bound | None = None
    ratio_goal: Bound | None = None
    better: str = "less"
    spread: tuple[float, float] | None = None
    note: str = ""
    miss: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer ours is; None without a peer."""
        if self.peer is None:
            return None
        over, under = (self.peer, self.ours) if self.better == "less" else (self.ours, self.peer)
        return over / under if under else None

    @property
    def met(self) -> bool | None:
        """None: there is no goal."""
        judged = [
            bound.holds(value)
            for bound, value in ((self.goal, self.ours), (self.ratio_goal, self.ratio))
            if bound is not None and value is not None
        ]
        if self.ratio_goal is not None and self.ratio is None:
            return False
        return all(judged) if judged else None

    def goal_text(self) -> str:
        """Both goals in words."""
        words = []
        if self.goal is not None:
            sign = "≥" if self.goal.at_least else "≤"
            words.append(f"{sign} {number(self.goal.limit)} {self.unit}".rstrip())
        if self.ratio_goal is not None:
            words.append(f"≥ {number(self.ratio_goal.limit)}×")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "what": self.what,
            "unit": self.unit,
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.peer_name or None,
            "ratio": self.ratio,
            "goal": self.goal_text() or None,
            "met": self.met,
        }


def number(value: float) -> str:
    """Three significant digits, thousands apart; never an exponent."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    decimals = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".")
