"""A competitor that runs in a process of its own, and is asked again and again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from lifeline_bench.errors import BenchError


class Competitor:
    """A module of `competitors`, run by this interpreter.

    path: further folders for its imports.
    """

    def __init__(
        self, python: Path, module: str, arguments: Sequence[str | Path], path: Sequence[Path] = ()
    ) -> None:
        self._name = module
        search = os.pathsep.join([*map(str, path), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [str(python), "-m", f"lifeline_bench.competitors.{module}", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": search},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        """Wait until it can be asked. Raises BenchError."""
        self._read("ready")

    def ask(self) -> float:
        """Seconds for one step. Raises BenchError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except OSError as error:
            raise BenchError(f"{self._name} has ended") from error
        return float(self._read("an answer"))

    def _read(self, what: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise BenchError(f"{self._name} ended with {code} before {what}; see above")
        return line.strip()

    def __enter__(self) -> Competitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
