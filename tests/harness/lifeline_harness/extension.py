"""The add-on as an extension: one zip with the native module's wheel in it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lifeline_harness import bpy_module
from lifeline_harness.errors import HarnessError, StartError
from lifeline_harness.profile import ADDON, ROOT

WHEELS = ROOT / "target" / "wheels"
BUILD_SECONDS = 60.0


def build(folder: Path) -> Path:
    """Have Blender's own tool make the zip, below `folder`; its path.

    Raises StartError if the wheel or the tool is missing, HarnessError if the tool refuses.
    """
    staging, output = folder / "staging", folder / "extension.zip"
    shutil.copytree(ADDON, staging, ignore=shutil.ignore_patterns("__pycache__"))
    wheel = _only(WHEELS, "*.whl")
    (staging / "wheels").mkdir()
    shutil.copy(wheel, staging / "wheels")
    _name_wheel(staging / "blender_manifest.toml", wheel.name)
    command = [bpy_module.python(), "-I", "-B", str(_tool()), "build"]
    command += ["--source-dir", str(staging), "--output-filepath", str(output)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise HarnessError(f"no extension:\n{done.stdout.decode(errors='replace')}")
    return output


def _name_wheel(manifest: Path, wheel: str) -> None:
    """Which wheel it is depends on the build, so the add-on's own manifest names none."""
    text = manifest.read_text(encoding="utf-8")
    # A key of the document itself has to come before its first table.
    keys, table, rest = text.partition("\n[")
    manifest.write_text(f'{keys}\nwheels = ["./wheels/{wheel}"]\n{table}{rest}', encoding="utf-8")


def _tool() -> Path:
    """`blender_ext.py`, which is what `blender --command extension` runs."""
    environment = Path(bpy_module.python()).parents[1]
    return _only(
        environment, "lib/python*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    )


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise StartError(f"{folder} has {len(found)} of {pattern} instead of one")
    return found[0]
