# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says, from the status alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..wording import clock

if TYPE_CHECKING:
    from cr8_lifeline import Status


def starting_up(status: Status) -> bool:
    """Blender has just started, and its first attempt to connect is not answered yet."""
    return status["phase"] == "reconnecting" and status["reason"] is None and status["attempt"] == 0


def _why(status: Status) -> str:
    """Why the file is saved and Blender closed: an outage, or else SIGTERM."""
    return "Server unavailable" if status["lost_for"] is not None else "Blender is being shut down"


def overlay_lines(status: Status | None) -> tuple[str, ...]:
    """The lines over the 3D view: none while there is nothing to worry about."""
    if status is None or starting_up(status):
        return ()
    phase = status["phase"]
    if phase == "reconnecting":
        return (f"Server unavailable — {attempt(status)}",)
    if phase == "counting-down":
        left = clock(status["remaining"] or 0.0)
        return (
            "Server unavailable",
            f"Blender will save and close in {left} — Keep Open in the sidebar (N) > CR8",
        )
    if phase == "saving":
        return (f"{_why(status)} — saving the file",)
    if phase == "quitting":
        return (f"{_why(status)} — closing Blender",)
    if phase == "held":
        return ("Server unavailable — kept open until released in the sidebar (N) > CR8",)
    return ()


def attempt(status: Status) -> str:
    """`attempt 3 of 5`; beyond the last, or before the first, there is nothing to count."""
    number, of = status["attempt"], status["attempts"]
    return f"attempt {number} of {of}" if 0 < number <= of else "trying to connect"


def state_lines(status: Status | None) -> tuple[str, ...]:
    """The state for the panel, headline first."""
    if status is None:
        return ("Not running",)
    phase = status["phase"]
    if phase == "connected":
        return ("Connected", status["server"])
    if starting_up(status):
        return ("Connecting", status["server"])
    if phase == "reconnecting":
        return ("Server unavailable", attempt(status).capitalize())
    if phase == "counting-down":
        return ("Server unavailable", f"Save and close in {clock(status['remaining'] or 0.0)}")
    return {
        "saving": (_why(status), "Saving the file"),
        "quitting": (_why(status), "Closing Blender"),
        "held": ("Server unavailable", "Kept open until released"),
    }.get(phase, ("Not connected",))


def policy_lines(status: Status) -> tuple[str, ...]:
    """Who decides, and what is wrong with it, for the panel."""
    policy = status["policy"]
    lines = [f"{policy['name']} {policy['version']} ({policy['sha256'][:12]})"]
    if policy["set_aside"]:
        lines += ["It is set aside, and five-minutes decides:", policy["last_failure"] or ""]
    refused = policy["refused"]
    if refused is not None:
        lines += [f"Not taken: {os.path.basename(refused['origin'])}", refused["reason"]]
    return tuple(lines)
