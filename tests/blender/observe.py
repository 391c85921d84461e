"""What a Blender says and does in an outage, and what it does not."""

from __future__ import annotations

import re
import time
from pathlib import Path

from lifeline_harness.blender import Blender

from tests.blender.stage import status

LINE_SECONDS = 30.0

UNREACHABLE = r"^\[WARNING\] Server unreachable after "
SAVING = r"^\[INFO\] Saving Blender file: "
CLOSING = r"^\[INFO\] Closing Blender instance$"

# Brings the 3D view back where the harness has put what costs less to draw; comes first in a
# snippet that works in `area`.
THREE_D_VIEW = """
window = bpy.context.window_manager.windows[0]
area = max(window.screen.areas, key=lambda area: area.width * area.height)
area.type = "VIEW_3D"
with bpy.context.temp_override(window=window):
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
"""

DEADLINE = """
import time, cr8_router
remaining = cr8_router.handler().status()["remaining"]
result = None if remaining is None else time.monotonic() + remaining
"""


def wait_lost(blender: Blender, *, since: float = 0.0) -> None:
    """The add-on has heard of the loss."""
    blender.wait_for_line(r"Trying to connect\.$", LINE_SECONDS, since=since)


def wait_unreachable(blender: Blender, *, since: float = 0.0) -> None:
    """The countdown has begun."""
    blender.wait_for_line(UNREACHABLE, LINE_SECONDS, since=since)


def wait_countdown(blender: Blender, *, since: float = 0.0) -> float:
    """The countdown runs; its deadline, in seconds of the monotonic clock.

    It must be long enough to be asked for: see `stage.ROOM`.
    """
    wait_unreachable(blender, since=since)
    # By the clock in Blender: its answer may be late.
    deadline = blender.run(DEADLINE)
    assert isinstance(deadline, float), "the countdown has ended before it was seen"
    return deadline


def wait_phase(blender: Blender, phase: str) -> dict[str, object]:
    """The status, once this is the phase."""
    found: list[dict[str, object]] = []

    def reached() -> bool:
        found[:] = [status(blender)]
        return found[0]["phase"] == phase

    blender.wait_alive(f"the phase {phase}", reached, LINE_SECONDS)
    return found[0]


def count(blender: Blender, pattern: str) -> int:
    """How many lines of its log have the pattern."""
    return len(blender.lines.matching(pattern))


def assert_said(blender: Blender, *expected: str) -> None:
    """These very lines, in this order, perhaps with others in between."""
    blender.wait_for_line(f"^{re.escape(expected[-1])}$", LINE_SECONDS)
    said = iter([line.text for line in blender.lines.all()])
    for line in expected:
        assert line in said, f"not said, or not in this order: {line}\n{blender.lines.tail(60)}"


def assert_stays_connected(blender: Blender, until: float) -> None:
    """It lives and is connected all the time, until then (monotonic) and a little longer."""
    while time.monotonic() < until + 1.5:
        now = status(blender)
        assert (now["phase"], now["connected"], now["remaining"]) == ("connected", True, None)
        time.sleep(0.2)
    assert blender.exit_code() is None
    assert blender.run(
        "import cr8_router; result = cr8_router.handler().server_cleanup_timer is None"
    )
    assert count(blender, CLOSING) == 0


def assert_untouched(blender: Blender, file: Path, template: Path) -> None:
    """Nothing was saved."""
    assert count(blender, SAVING) == 0
    assert file.read_bytes() == template.read_bytes()
