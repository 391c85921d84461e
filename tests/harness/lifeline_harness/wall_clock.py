"""A process whose wall clock can be set, while its monotonic clock runs on."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

from lifeline_harness.errors import StartError

SOURCE = Path(__file__).with_name("wall_clock.c")
DAY = 86_400.0


class WallClock:
    """The clock of every process that is started with `environment`.

    folder: a new one, for what belongs to it. Raises StartError without a C compiler.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._library = folder / "wall_clock.so"
        self._file = folder / "seconds"
        self._file.write_bytes(bytes(8))
        _compile(self._library)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "LIFELINE_WALL_CLOCK": str(self._file)}

    def shift(self, seconds: float) -> None:
        """Off by this much from now on, in whole seconds."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
            shared[:] = struct.pack("=q", round(seconds))


def _compile(library: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        raise StartError("no C compiler: cc is not on the path")
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]
    command += [str(library), str(SOURCE)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise StartError(f"{SOURCE} does not compile:\n{done.stderr.decode(errors='replace')}")
