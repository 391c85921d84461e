"""The last outage of a Blender: the server does not come back."""

from __future__ import annotations

from pathlib import Path

from lifeline_harness import blend, processes
from lifeline_harness.blender import Blender
from lifeline_harness.journal import Journal, check

from lifeline_soak.errors import ViolationError
from lifeline_soak.site import Site

# Exact in 32 bits, as Blender keeps it.
EDIT = [1.5, -2.25, 3.0]

# For the attempts, the save and the end, beside the countdown.
_SECONDS = 40.0


def part(site: Site, blender: Blender, file: Path) -> str:
    """A sentence about it. Raises ViolationError, or WaitError."""
    blender.run(f"bpy.data.objects['Cube'].location = {EDIT}")
    site.engine.kill()
    code = blender.wait_exit(site.timing.settings["cleanup_timeout"] + _SECONDS)
    faults = []
    if code != 0:
        faults.append(f"Blender's exit code is {code}: expected 0")
    if left := processes.session_members(blender.pid):
        faults.append(f"Blender has left {left}: expected no process")
    try:
        check(Journal(site.journal).entry(), outcome="quit", safe=True, path=file)
    except AssertionError as error:
        faults.append(f"journal: {error}")
    location = blend.inspect(file)["objects"]["Cube"]["location"]
    if location != EDIT:
        faults.append(f"the cube is at {location} in the saved file: expected {EDIT}")
    if faults:
        raise ViolationError(
            ["soak: VIOLATION in the last outage", *(f"  ✗ {one}" for one in faults)]
        )
    return "the last one for good: saved, closed"
