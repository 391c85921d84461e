# SPDX-License-Identifier: GPL-3.0-or-later
"""What fits beside what lies over it. Lengths in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def wrapped(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """The text in lines no wider than `room`, but for a word that is wider by itself."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def free_part(
    whole: tuple[float, float], over: Iterable[tuple[float, float]], narrowest: float
) -> tuple[float, float]:
    """What of a stretch is left beside those that lie over its ends, from where to where.

    All of it if less than `narrowest` is left.
    """
    left, right = whole
    middle = (left + right) / 2
    for begin, end in over:
        if (begin + end) / 2 < middle:
            left = max(left, end)
        else:
            right = min(right, begin)
    return (left, right) if right - left >= narrowest else whole
