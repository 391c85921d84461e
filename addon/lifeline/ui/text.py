# SPDX-License-Identifier: GPL-3.0-or-later
"""What the interface says, from the status alone."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from .. import options
from ..wording import clock
from ..words import marked
from ..words import translated as _

if TYPE_CHECKING:
    from cr8_lifeline import Status

_REASONS = {
    "never-connected": marked("The server was not reached yet."),
    "transport-error": marked("The connection was lost."),
    "ping-timeout": marked("The server stopped answering."),
    "frozen": marked("The server has frozen."),
    "server-disconnect": marked("The server has disconnected this Blender."),
}

ICONS = {
    "connected": "LINKED",
    "reconnecting": "UNLINKED",
    "counting-down": "ERROR",
    "saving": "FILE_TICK",
    "quitting": "QUIT",
    "held": "PINNED",
}
"""Of each phase."""
EXPIRES_SOON = 600.0
"""Seconds: the host warns at the same time."""
NO_LINE = "UNLINKED"
"""The icon while nothing runs."""


def starting_up(status: Status) -> bool:
    """Blender has just started, and its first attempt to connect is not answered yet."""
    return status["phase"] == "reconnecting" and status["reason"] is None and status["attempt"] == 0


def in_trouble(status: Status | None) -> bool:
    """There is something to worry about."""
    return (
        status is not None
        and status["phase"] not in ("idle", "connected", "closed")
        and not starting_up(status)
    )


def _why(status: Status) -> str:
    """Why the file is saved and Blender closed: an outage, or else SIGTERM."""
    if status["lost_for"] is not None:
        return _away(status)
    return _("Blender is being shut down")


def _away(status: Status) -> str:
    """What is wrong with the server: nobody can reach this Blender either way."""
    if refusal(status) is not None:
        return _("The server refuses this Blender")
    return _("Server unavailable")


def refusal(status: Status) -> str | None:
    """The server's words, if it has refused the last attempt. None, too, from an older module."""
    return status.get("refusal")


def left(status: Status) -> str:
    """`4:59`, until save and close."""
    return clock(status["remaining"] or 0.0)


def time_of_day(seconds: float, form: str = "%H:%M") -> str:
    """`14:05`: what the computer's clock will show in so many seconds."""
    return time.strftime(form, time.localtime(round(time.time() + seconds)))


def overlay_lines(status: Status | None) -> tuple[str, ...]:
    """The lines over the 3D view: none while there is nothing to worry about."""
    if status is None or not in_trouble(status):
        return ()
    phase = status["phase"]
    if phase == "reconnecting":
        return (f"{_away(status)} — {attempt(status)}",)
    if phase == "counting-down":
        return (
            _away(status),
            _("Blender will save and close in {} — Keep Open in the sidebar (N) > {}").format(
                left(status), options.current.tab
            ),
        )
    if phase == "saving":
        return (f"{_why(status)} — {_('saving the file')}",)
    if phase == "quitting":
        return (f"{_why(status)} — {_('closing Blender')}",)
    held = _("kept open until released in the sidebar (N) > {}")
    return (f"{_away(status)} — {held.format(options.current.tab)}",)


def status_bar_line(status: Status | None) -> str:
    """The same in one line, which changes seldom; "" while there is nothing to worry about."""
    if status is None or not in_trouble(status):
        return ""
    headline, *rest = state_lines(status)
    if status["phase"] == "counting-down":
        end = time_of_day(status["remaining"] or 0.0)
        rest = [_("Blender will save and close at {}").format(end)]
    return " — ".join((headline, *rest))


def attempt(status: Status) -> str:
    """`attempt 3 of 5`; beyond the last, or before the first, there is nothing to count."""
    number, of = status["attempt"], status["attempts"]
    if 0 < number <= of:
        return _("attempt {} of {}").format(number, of)
    return _("trying to connect")


def state_lines(status: Status | None) -> tuple[str, ...]:
    """The state, headline first."""
    if status is None:
        return (_("Not running"),)
    phase = status["phase"]
    if phase == "connected":
        return (_("Connected"), status["server"])
    if starting_up(status):
        return (_("Connecting"), status["server"])
    if phase == "reconnecting":
        text = attempt(status)
        return (_away(status), text[:1].upper() + text[1:])
    if phase == "counting-down":
        return (_away(status), _("Save and close in {}").format(left(status)))
    if phase == "saving":
        return (_why(status), _("Saving the file"))
    if phase == "quitting":
        return (_why(status), _("Closing Blender"))
    if phase == "held":
        return (_away(status), _("Kept open until released"))
    return (_("Not connected"),)


class Remark(NamedTuple):
    """A sentence, and the icon before it."""

    icon: str
    text: str


def remarks(status: Status, file: str) -> tuple[Remark, ...]:
    """What will happen, why, and what is being done about it.

    file: the open file's path, "" for one without a name.
    """
    if not in_trouble(status):
        return expiry(status)
    made = [Remark("FORWARD", plan) for plan in _plan(status, file)]
    words = refusal(status)
    if words is not None:
        made.append(Remark("ERROR", _("The server refuses this Blender: {}.").format(words)))
        made.append(Remark("QUESTION", _hint(words)))
    elif status["reason"] is not None:
        made.append(Remark("INFO", _(_REASONS[status["reason"]])))
    if words is None and status["last_error"] is not None and status["attempt"] > 0:
        failure = _("The last attempt failed: {}.").format(status["last_error"])
        made.append(Remark("BLANK1", failure))
    made += expiry(status)
    if status["attempting"]:
        made.append(Remark("FILE_REFRESH", _("An attempt to connect is under way.")))
    elif status["next_attempt"] is not None and status["phase"] != "quitting":
        at = clock(status["next_attempt"])
        made.append(Remark("FILE_REFRESH", _("The next attempt is in {}.").format(at)))
    return tuple(made)


def _hint(words: str) -> str:
    """What can be done about a refusal."""
    if words.startswith("HTTP "):
        return _("Are the server's address and headers right? Then press Try Now.")
    return _(
        "Is your page open in a browser? Are name and token right, and is the token still good? "
        "Then press Try Now."
    )


def expiry(status: Status) -> tuple[Remark, ...]:
    """How long the credentials are good for, once that is soon."""
    if status["expires_at"] is None:
        return ()
    at = datetime.fromisoformat(status["expires_at"].replace("Z", "+00:00"))
    left = at.timestamp() - time.time()
    if left > EXPIRES_SOON:
        return ()
    told = (
        _("The credentials are good until {}.")
        if left > 0
        else _("The credentials have expired ({}): the server may not accept them.")
    )
    return (Remark("ERROR", told.format(at.astimezone().strftime("%H:%M"))),)


def _plan(status: Status, file: str) -> list[str]:
    """At most one sentence."""
    phase = status["phase"]
    if phase == "reconnecting":
        after = _("After attempt {}, Blender counts down {} and then saves and closes.")
        return [after.format(status["attempts"], clock(status["cleanup_timeout"]))]
    if phase == "counting-down" and file:
        then = _("Then {} is saved, and Blender closes.")
        return [then.format(os.path.basename(file))]
    if phase == "counting-down":
        return [_("Then your untitled work is saved as a recovery copy, and Blender closes.")]
    if phase == "held":
        return [_("Nothing is saved or closed until you press Release or the server is back.")]
    return []


def warning(status: Status, seconds: float) -> str:
    """The title of the pop-up, which stays as it is: so when, not in how long."""
    then = _("Blender saves and closes at {}").format(time_of_day(seconds, "%H:%M:%S"))
    return f"{_away(status)}: {then}"


def policy_lines(status: Status) -> tuple[str, ...]:
    """Who decides (two lines), and what is wrong with it, for the panels."""
    policy = status["policy"]
    lines = [f"{policy['name']} {policy['version']}", policy["sha256"][:12]]
    if policy["set_aside"]:
        lines += [
            _("It is set aside, and five-minutes decides: choose another policy."),
            policy["last_failure"] or "",
        ]
    refused = policy["refused"]
    if refused is not None:
        name = os.path.basename(refused["origin"])
        lines += [_("Not taken: {}").format(name), refused["reason"]]
    return tuple(lines)
