"""A process whose wall clock can be set, while its monotonic clock runs on."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from lifeline_harness.preload import compiled

DAY = 86_400.0


class WallClock:
    """The clock of every process that is started with `environment`.

    folder: a new one, for what belongs to it. Raises StartError without a C compiler.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._file = folder / "seconds"
        self._file.write_bytes(bytes(8))
        self._library = compiled("wall_clock", folder)

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "LIFELINE_WALL_CLOCK": str(self._file)}

    def shift(self, seconds: float) -> None:
        """Off by this much from now on, in whole seconds."""
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
            shared[:] = struct.pack("=q", round(seconds))
