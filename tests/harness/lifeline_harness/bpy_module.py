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

from lifeline_harness import blend
from lifeline_harness.blender import Blender
from lifeline_harness.errors import HarnessError, StartError
from lifeline_harness.profile import Profile, blender_environment

VARIABLE = "LIFELINE_BPY_PYTHON"

_INSPECT = """
import runpy, sys
import bpy
script, _, path, answer = sys.argv[1:]
bpy.ops.wm.open_mainfile(filepath=path)
runpy.run_path(script)
"""


def python(variable: str = VARIABLE) -> str:
    """The interpreter that can import bpy, which this variable names. Raises StartError."""
    found = shutil.which(os.environ.get(variable, ""))
    if found is None:
        raise StartError(f"no Python with bpy: set {variable} to one, or use `cargo xtask test`")
    return found


def _command(variable: str, source: str, *arguments: str) -> list[str]:
    # Isolated: modules come from where the script says, not from PYTHONPATH.
    return [python(variable), "-I", "-B", "-u", "-c", source, *arguments]


def start(
    profile: Profile,
    source: str,
    *,
    environment: Mapping[str, str] | None = None,
    variable: str = VARIABLE,
) -> Blender:
    """Run a script that imports bpy; its process, which no control channel leads to.

    environment: more variables, like those of `Engine.line`. variable: names the interpreter.
    Raises StartError.
    """
    return Blender.spawn(profile, _command(variable, source), environment)


def inspect(path: str | Path, *, variable: str = VARIABLE) -> dict[str, Any]:
    """What is in a .blend file, as `blend.inspect` tells it; for files that bpy has written.

    variable: names the interpreter. Raises HarnessError if the file cannot be opened.
    """
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(Path(folder), addon=False)
        profile.prepare()
        # The answer has a file of its own: Blender's output is full of other things.
        answer = Path(folder) / "answer.json"
        try:
            done = subprocess.run(
                _command(variable, _INSPECT, str(blend.SCRIPT), "--", str(path), str(answer)),
                env=blender_environment(profile),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=blend.SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HarnessError(f"{path}: not opened within {blend.SECONDS:g} s") from error
        if done.returncode != 0 or not answer.exists():
            said = done.stdout.decode(errors="replace")
            raise HarnessError(f"{path} cannot be opened (exit code {done.returncode}):\n{said}")
        facts: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return facts
