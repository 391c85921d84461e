"""Blender as a Python module (bpy), in a process of its own: no window, and timers never tick."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lifeline_harness.blender import Blender
from lifeline_harness.errors import HarnessError, StartError
from lifeline_harness.profile import Profile, blender_environment

VARIABLE = "LIFELINE_BPY_PYTHON"
INSPECTION = Path(__file__).with_name("inspection.py")
INSPECT_SECONDS = 60.0

_INSPECT = """
import runpy, sys
import bpy
script, path, answer = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=path)
runpy.run_path(script)
"""


def python() -> str:
    """The interpreter that can import bpy. Raises StartError."""
    found = shutil.which(os.environ.get(VARIABLE, ""))
    if found is None:
        raise StartError(f"no Python with bpy: set {VARIABLE} to one, or use `cargo xtask test`")
    return found


def _command(source: str, *arguments: str) -> list[str]:
    # Isolated: modules come from where the script says, not from PYTHONPATH.
    return [python(), "-I", "-B", "-u", "-c", source, *arguments]


def start(
    profile: Profile, source: str, *, environment: Mapping[str, str] | None = None
) -> Blender:
    """Run a script that imports bpy; its process, which no control channel leads to.

    environment: more variables, like those of `Engine.line`. Raises StartError.
    """
    profile.prepare()
    with tempfile.NamedTemporaryFile(dir=profile.logs, delete=False) as log:
        child = subprocess.Popen(
            _command(source),
            env={**blender_environment(profile), **(environment or {})},
            cwd=profile.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    os.replace(log.name, profile.logs / f"blender-{child.pid}.log")
    return Blender(profile, child.pid, child)


def inspect(path: str | Path) -> dict[str, Any]:
    """What is in a .blend file, as `blend.inspect` tells it; for files that bpy has written.

    Raises HarnessError if the file cannot be opened.
    """
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        profile = Profile(Path(folder), addon=False)
        profile.prepare()
        try:
            done = subprocess.run(
                _command(_INSPECT, str(INSPECTION), str(path), str(answer)),
                env=blender_environment(profile),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=INSPECT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HarnessError(f"{path}: not opened within {INSPECT_SECONDS:g} s") from error
        if done.returncode != 0 or not answer.exists():
            said = done.stdout.decode(errors="replace")
            raise HarnessError(f"{path} cannot be opened (exit code {done.returncode}):\n{said}")
        facts: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return facts
