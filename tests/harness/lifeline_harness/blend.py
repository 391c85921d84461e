"""What is in a .blend file, told by another Blender."""

from __future__ import annotations

import atexit
import itertools
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from lifeline_harness import processes
from lifeline_harness.errors import HarnessError
from lifeline_harness.profile import SCRIPT_FAILED, blender_executable
from lifeline_harness.waiting import wait_until

SCRIPT = Path(__file__).with_name("inspection.py")
SECONDS = 120.0


class Inspector:
    """A Blender without a window that opens one file after the other."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._numbers = itertools.count()
        self._log = Path(self._folder.name) / "blender.log"
        line = [blender_executable(), "--background", "--factory-startup"]
        line += ["--python-exit-code", str(SCRIPT_FAILED), "--python", str(SCRIPT), "--"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                line,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                bufsize=1,
                start_new_session=True,
            )
        processes.keep(self._process.pid)

    def inspect(self, path: Path) -> dict[str, Any]:
        """See `inspect`."""
        answer = Path(self._folder.name) / f"{next(self._numbers)}.json"
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([str(path), str(answer)])}\n")

        def told() -> bool:
            ended = not self.runs()
            if not answer.exists() and ended:
                said = self._log.read_text(errors="replace")
                raise HarnessError(f"{path}: Blender has ended over it:\n{said}")
            return answer.exists()

        wait_until("what is in a file", told, SECONDS)
        facts: dict[str, Any] | str = json.loads(answer.read_text(encoding="utf-8"))
        answer.unlink()
        if isinstance(facts, str):
            raise HarnessError(f"{path} cannot be opened: {facts}")
        return facts

    def runs(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


_inspector: Inspector | None = None


def inspect(path: str | Path) -> dict[str, Any]:
    """Open a file in a Blender without a window, the same for all files.

    `{"version": [3, 4, 1], "scene": name, "properties": {…of the scene…}, "texts": {name: text},
    "objects": {name: {"type": …, "location": [x, y, z], "properties": {…}, "mesh": None or
    {"count": n, "faces": n, "vertices": [[x, y, z], …]}}},
    "images": {name: {"path": …, "packed": None or the bytes' SHA-256, "packed_size": n,
    "pixels": [r, g, b, a, …]}}}`, of vertices and pixels the first thousand.
    Raises HarnessError if the file cannot be opened.
    """
    global _inspector
    if _inspector is None or not _inspector.runs():
        _inspector = Inspector()
        atexit.register(_inspector.close)
    return _inspector.inspect(Path(path).resolve())
