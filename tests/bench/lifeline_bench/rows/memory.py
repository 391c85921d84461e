"""What the add-on, connected, adds to the memory of a real Blender."""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.engine import Engine
from lifeline_harness.profile import ADDON, Profile

_CONNECTED_SECONDS = 30.0
# Until the threads that only begin things have ended.
_REST_SECONDS = 3.0

_ENABLE = 'import addon_utils; addon_utils.enable("cr8_router", default_set=True)'
_REGION = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$")


def measure(rounds: int = 3, parts: int = 8) -> dict[str, object]:
    """Bytes, medians: `pss`, `private`, and `parts`, the largest by what they are mapped from.

    In each round a Blender with a window is looked at before the add-on is enabled, and again once
    it is connected and at rest. `$LIFELINE_PYTHON` names the folder with the native module.
    """
    before_and_after = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with Display.start(folder) as display:
            profile = Profile(folder / "blender", display=display, addon=False)
            profile.prepare()
            addons = profile.folder / "scripts" / "addons"
            (addons / ADDON.name).symlink_to(ADDON, target_is_directory=True)
            with Engine(profile, blenders=False) as engine:
                for turn in range(rounds):
                    before_and_after.append(_one(profile, engine, f"user-{turn}"))
    figures: dict[str, object] = {
        name: statistics.median(after[name] - before[name] for before, after in before_and_after)
        for name in ("pss", "private")
    }
    before, after = before_and_after[-1]
    after.subtract(before)
    del after["pss"], after["private"]
    figures["parts"] = dict(after.most_common(parts))
    return figures


def _one(profile: Profile, engine: Engine, user: str) -> tuple[Counter[str], Counter[str]]:
    with Blender.start(profile, environment=engine.line(user)).wait_ready() as blender:
        # The interpreter's own; both would import it.
        blender.run("import addon_utils")
        time.sleep(_REST_SECONDS)
        before = _memory(blender.pid)
        blender.run(_ENABLE)
        engine.wait_for_blender(user, _CONNECTED_SECONDS)
        time.sleep(_REST_SECONDS)
        return before, _memory(blender.pid)


def _memory(pid: int) -> Counter[str]:
    """Bytes: `pss` and `private`, and the private ones by what they are mapped from."""
    sizes: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if region := _REGION.match(line):
            name = region[1] or "[anonymous]"
            continue
        key, value = line.split(maxsplit=1)
        if key == "Pss:":
            sizes["pss"] += _bytes(value)
        elif key in ("Private_Clean:", "Private_Dirty:"):
            sizes["private"] += _bytes(value)
            sizes[Path(name).name or name] += _bytes(value)
    return sizes


def _bytes(value: str) -> int:
    """Of `12 kB`."""
    return int(value.split()[0]) * 1024
