"""Where Blender's window goes: an X server without a screen, or the person's own display."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

from lifeline_harness.errors import HarnessError, StartError
from lifeline_harness.picture import Picture

# What Blender fills with its window. Drawing by software costs a processor as it grows.
SIZE = (1280, 720)
# For those who do not look at it.
SMALL = (480, 320)
# One folder for all, and from run to run: compiling takes each Blender seconds.
SHADERS = Path(__file__).resolve().parents[3] / "target" / "shaders"
START_SECONDS = 20.0


class Display:
    """An X display. `name` is what goes into the variable DISPLAY."""

    def __init__(
        self,
        name: str,
        *,
        server: subprocess.Popen[bytes] | None,
        buffer: Path | None,
        small: bool = False,
    ) -> None:
        self.name = name
        # Nobody looks at it, so Blender need not draw what costs.
        self.small = small
        self._server = server
        self._buffer = buffer

    @property
    def virtual(self) -> bool:
        """Ours, without a screen: Blender must draw by software."""
        return self._server is not None

    @property
    def shader_cache(self) -> Path | None:
        """Where the software that draws may keep compiled shaders; None: where it likes."""
        return SHADERS if self.virtual else None

    @classmethod
    def own(cls) -> Display:
        """The person's. Raises StartError if there is none."""
        name = os.environ.get("DISPLAY")
        if not name:
            raise StartError("there is no display here: DISPLAY is not set")
        return cls(name, server=None, buffer=None)

    @classmethod
    def start(cls, folder: Path, size: tuple[int, int] = SIZE) -> Display:
        """Start an Xvfb that keeps its picture in `folder`. size: in pixels. Raises StartError."""
        program = shutil.which("Xvfb")
        if program is None:
            raise StartError("Xvfb is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        screen = "x".join(str(number) for number in (*size, 24))
        options = ["-screen", "0", screen, "-fbdir", str(folder), "-nolisten", "tcp", "-noreset"]
        reading, writing = os.pipe()
        try:
            with (folder / "xvfb.log").open("wb") as log:
                server = subprocess.Popen(
                    [program, "-displayfd", str(writing), *options],
                    pass_fds=[writing],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Else Ctrl-C would end it before those that draw on it.
                    start_new_session=True,
                )
            os.close(writing)
            writing = -1
            number = _read_line(reading)
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        display = cls(
            f":{number}", server=server, buffer=folder / "Xvfb_screen0", small=size == SMALL
        )
        if not number:
            display.close()
            said = (folder / "xvfb.log").read_text(errors="replace").strip()
            raise StartError(f"Xvfb did not start: {said}")
        return display

    def picture(self) -> Picture:
        """What is on the screen, even while Blender's main thread is blocked.

        Raises HarnessError on the person's own display (see `Blender.screenshot`).
        """
        if self._buffer is None:
            raise HarnessError("no picture of the person's own display is taken")
        return Picture.of_window_dump(self._buffer.read_bytes())

    def screenshot(self, path: Path) -> None:
        """Write what is on the screen as PNG. Raises HarnessError, as `picture` does."""
        path.write_bytes(self.picture().png())

    def kill(self) -> None:
        """SIGKILL. Raises HarnessError for the person's own display."""
        if self._server is None:
            raise HarnessError("the person's own display is not killed")
        self._server.kill()
        self._server.wait()

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _read_line(fd: int) -> str:
    """What comes before a line end, the end of the file or the time-out."""
    line = b""
    while not line.endswith(b"\n") and select.select([fd], [], [], START_SECONDS)[0]:
        if not (more := os.read(fd, 64)):
            break
        line += more
    return line.decode().strip()
