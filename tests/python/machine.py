"""A machine that loses its server, and uploads what it saves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from lifeline_harness.journal import Journal

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder, ticket_of

MB = 1_000_000
# Of a part: S3 takes none that is smaller, but for the last.
SMALL = 5 << 20


def written(folder: Path, size: int) -> Path:
    """A file that looks like nothing else; its name is that of no other size."""
    path = folder / f"work-{size}.blend"
    part = random.Random(size).randbytes(min(size, MB))  # noqa: S311
    with path.open("wb") as file:
        for _ in range(size // len(part)):
            file.write(part)
        file.write(part[: size % len(part)])
    return path


class Machine:
    """A line whose server is not there, and whose saved file is this one."""

    def __init__(self, make_line: MakeLine, url: str, folder: Path, **settings: object) -> None:
        self.journal = Journal(folder / "journal.jsonl")
        given = {"cleanup_timeout": 0.1, "warn_before": [], "upload_timeout": 60, **settings}
        self.recorder: Recorder = make_line(url, journal=str(self.journal.path), **given)
        self.line = self.recorder.line
        self.line.connect()
        # What is opened from here on is heard of one by one.
        self.recorder.until("lost")

    def save(self, path: Path) -> None:
        """Answer the next save."""
        ticket = ticket_of(self.recorder.until("save"))
        assert self.line.claim(ticket)
        self.line.saved(ticket, str(path))

    def upload(self, path: Path) -> dict[str, Any]:
        """Answer the next save; what the journal says of the upload once Blender may close."""
        self.save(path)
        ticket = ticket_of(self.recorder.until("quit", 120.0))
        assert self.line.claim(ticket)
        self.recorder.until("close")
        upload: dict[str, Any] | None = self.entry()["upload"]
        assert upload is not None
        return upload

    def entry(self) -> dict[str, Any]:
        """The journal's last line."""
        found: dict[str, Any] = json.loads(self.journal.path.read_text().splitlines()[-1])
        return found
