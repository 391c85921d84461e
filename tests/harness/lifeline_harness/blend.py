"""What is in a .blend file, told by another Blender."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifeline_harness.errors import HarnessError
from lifeline_harness.profile import SCRIPT_FAILED, blender_executable

SCRIPT = Path(__file__).with_name("inspection.py")
SECONDS = 120.0


def inspect(path: str | Path) -> dict[str, Any]:
    """Open a file in a Blender without a window.

    `{"version": [3, 4, 1], "scene": name, "properties": {…of the scene…}, "texts": {name: text},
    "objects": {name: {"type": …, "location": [x, y, z], "properties": {…}, "mesh": None or
    {"count": n, "faces": n, "vertices": [[x, y, z], …]}}},
    "images": {name: {"path": …, "packed": None or the bytes' SHA-256, "packed_size": n,
    "pixels": [r, g, b, a, …]}}}`, of vertices and pixels the first thousand.
    Raises HarnessError if the file cannot be opened.
    """

    def command(path: str, answer: str) -> list[str]:
        line = [blender_executable(), "--background", "--factory-startup"]
        line += ["--python-exit-code", str(SCRIPT_FAILED), path]
        return [*line, "--python", str(SCRIPT), "--", path, answer]

    return inspect_by(command, path)


def inspect_by(
    command: Callable[[str, str], list[str]],
    path: str | Path,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The same, by the command line that opens the first path and answers into the second one."""
    path = Path(path).resolve()
    with tempfile.TemporaryDirectory() as folder:
        # The answer has a file of its own: Blender's output is full of other things.
        answer = Path(folder) / "answer.json"
        try:
            done = subprocess.run(
                command(str(path), str(answer)),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise HarnessError(f"{path}: not opened within {SECONDS:g} s") from error
        if done.returncode != 0 or not answer.exists():
            said = done.stdout.decode(errors="replace")
            raise HarnessError(f"{path} cannot be opened (exit code {done.returncode}):\n{said}")
        facts: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return facts
