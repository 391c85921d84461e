"""How a clean-up is to end, whatever went wrong on the way."""

from __future__ import annotations

from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.journal import Entry, Outcome, check

from tests.blender.observe import CLOSING, SAVING, count
from tests.blender.stage import EDIT, Stage, saved_location


def assert_kept(
    stage: Stage,
    blender: Blender,
    path: Path,
    *,
    location: tuple[float, ...] = EDIT,
    outcome: Outcome = "quit",
) -> Entry:
    """Closed with exit code 0, nothing left running, the edit in the file, the journal true.

    The outage is the journal's only one; gives its entry.
    """
    stage.assert_closed(blender)
    assert saved_location(path) == location
    entry = stage.journal.entry()
    check(entry, outcome=outcome, safe=True, path=path)
    return entry


def assert_closed_once(blender: Blender) -> None:
    """There was one countdown, one save and one end."""
    said = [count(blender, line) for line in ("cleanup timer started", SAVING, CLOSING)]
    assert said == [1, 1, 1], blender.lines.tail(60)
