# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last outage has led to, in sentences: what was saved where."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..wording import span
from ..words import marked
from ..words import translated as _

if TYPE_CHECKING:
    from cr8_lifeline import Status

_UPLOADS = {
    "done": marked("It was uploaded."),
    "failed": marked("It was not uploaded; the file is on the disk."),
}


def _when(instant: str | None) -> str:
    """`25 Nov 19:03`, by this computer's clock."""
    if instant is None:
        return _("at an unknown time")
    there = datetime.fromisoformat(instant.replace("Z", "+00:00"))
    return there.astimezone().strftime("%d %b %H:%M")


def sentences(status: Status) -> tuple[str, ...]:
    """Empty: there was none."""
    entry = status["last_outage"]
    if entry is None:
        return ()
    when, told = _when(entry["ended_at"] or entry["lost_at"]), [_headline(entry)]
    saves = entry["saves"]
    if not saves:
        if entry["outcome"] == "recovered":
            told.append(_("Nothing had to be saved."))
        elif entry["outcome"] != "closed":
            told.append(_("Nothing was saved: look for a recovery copy or a backup (.blend1)."))
    else:
        told += _save(saves[-1])
        if entry["upload"] is not None:
            told.append(_(_UPLOADS["done" if entry["upload"]["ok"] else "failed"]))
    return (when, *told)


def _headline(entry: dict[str, Any]) -> str:
    outcome, seconds = entry["outcome"], entry["seconds"]["outage"]
    if outcome == "recovered":
        return _("The server was away for {}.").format(span(seconds or 0.0))
    return {
        "quit": _("The server was lost, and Blender closed."),
        "terminated": _("Blender was shut down by the system."),
        "ended-by-host": _("The server was lost; Blender did not close, and was ended."),
        "closed": _("The server was away when Blender was closed, or disconnected, by hand."),
    }.get(outcome, _("The server was lost, and Blender ended unexpectedly."))


def _save(save: dict[str, Any]) -> list[str]:
    if not save["ok"]:
        return [
            _("The work could not be saved: look for a backup (.blend1)."),
            *save["failures"][-1:],
        ]
    told = [_("The work was saved as a recovery copy:") if save["recovery"] else _("Saved:")]
    told.append(save["path"])
    if save["recovery"]:
        told += save["failures"][-1:]
    return told
