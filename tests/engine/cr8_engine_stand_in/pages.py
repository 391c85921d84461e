"""Web pages: the files of one folder."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import NamedTuple


class Page(NamedTuple):
    """What a browser gets."""

    content_type: str
    body: bytes


class Pages:
    """folder: None: there are no pages."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()

    def find(self, path: str) -> Page | None:
        """The file at a URL's path; None: there is none."""
        if self._folder is None:
            return None
        file = (self._folder / path.lstrip("/")).resolve()
        if file == self._folder:
            file /= "index.html"
        if not file.is_relative_to(self._folder) or not file.is_file():
            return None
        kind, _ = mimetypes.guess_type(file.name)
        return Page(kind or "application/octet-stream", file.read_bytes())
