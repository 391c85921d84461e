"""The zips that people install, and the wheels for add-ons, as `cargo xtask package` makes them."""

from __future__ import annotations

import os
from pathlib import Path

from lifeline_harness.errors import StartError

VARIABLE = "LIFELINE_PACKAGES"


def extension() -> Path:
    """For Blender 4.2 and later. Raises StartError."""
    return _only("cr8_router-*.zip", but="-legacy-")


def legacy() -> Path:
    """For older Blenders. Raises StartError."""
    return _only("cr8_router-*-legacy-*.zip")


def library() -> Path:
    """The Blender half, as a wheel. Raises StartError."""
    return _only("cr8_lifeline_addon-*.whl")


def native() -> Path:
    """The native half, as a wheel. Raises StartError."""
    return _only("cr8_lifeline-*.whl")


def _only(pattern: str, but: str = "/") -> Path:
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise StartError(f"no packages: set {VARIABLE}, or use `cargo xtask test`")
    found = [one for one in Path(folder).glob(pattern) if but not in one.name]
    if len(found) != 1:
        raise StartError(f"{folder} has {len(found)} of {pattern} instead of one")
    return found[0]
