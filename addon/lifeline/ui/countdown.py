# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a countdown is left, also of one that was extended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cr8_lifeline import Status

_longest = 0.0
"""Seconds that this countdown had left, at most."""


def factor(status: Status) -> float | None:
    """From 1 down to 0; None: none runs. To be asked at each tick."""
    global _longest
    remaining = status["remaining"]
    if status["phase"] != "counting-down" or remaining is None:
        _longest = 0.0
        return None
    _longest = max(_longest, remaining, status["cleanup_timeout"])
    return remaining / _longest if _longest else 0.0
