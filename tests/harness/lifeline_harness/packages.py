"""The zips that people install, as `cargo xtask package` makes them."""

from __future__ import annotations

import os
from pathlib import Path

from lifeline_harness.errors import StartError

VARIABLE = "LIFELINE_PACKAGES"
LEGACY = "-legacy-"


def extension() -> Path:
    """For Blender 4.2 and later. Raises StartError."""
    return _only(legacy=False)


def legacy() -> Path:
    """For older Blenders. Raises StartError."""
    return _only(legacy=True)


def _only(*, legacy: bool) -> Path:
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise StartError(f"no packages: set {VARIABLE}, or use `cargo xtask test`")
    found = [one for one in Path(folder).glob("*.zip") if (LEGACY in one.name) == legacy]
    if len(found) != 1:
        raise StartError(f"{folder} has {len(found)} zips of this kind instead of one")
    return found[0]
