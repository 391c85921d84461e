# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's log: lines on standard output, as its users know them, and JSON lines in a file."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from . import output
from .wording import clean

if TYPE_CHECKING:
    from .log_file import LogFile
    from .output import Outlet

logger = logging.getLogger("cr8_router")

_handlers: list[logging.Handler] = []
_file: LogFile | None = None


def about(event: str, **fields: object) -> dict[str, object]:
    """For `extra` of a line: what has happened, and the values in it (JSON), for programs."""
    return {"event": event, "fields": fields}


class _Line(logging.Formatter):
    """One line, whatever a file's name or a server's reason holds; a traceback is set off below."""

    def format(self, record: logging.LogRecord) -> str:
        line = clean(f"[{record.levelname}] {record.getMessage()}")
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            line += "".join(f"\n  {clean(each)}" for each in traceback.split("\n"))
        return line


class _Lines(logging.Handler):
    """Lines on standard output, which nobody waits for."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # `handleError` would print, and wait
            line = clean(f"[{record.levelname}] {record.msg}")
        self._outlet.say(line)


def register() -> None:
    """Let the log out."""
    outlet = output.standard_output()
    # What a script has put in the place of standard output is written to as it stands.
    handler = _Lines(outlet) if outlet is not None else logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    logger.addHandler(handler)
    logger.propagate = False
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    _handlers.append(handler)


def write_to(path: str) -> None:
    """JSON lines go to this file from now on; "": nowhere."""
    global _file
    if _file is not None and _file.path == path and not _file.refused:
        return
    _close_file()
    if path:
        from .log_file import LogFile  # it brings much along, and most have no such file

        _file = LogFile(logger, path)


def _close_file() -> None:
    global _file
    file, _file = _file, None
    if file is not None:
        file.close()


def unregister() -> None:
    """Take back what `register` and `write_to` added."""
    _close_file()
    while _handlers:
        logger.removeHandler(_handlers.pop())
    logger.propagate = True
    output.unregister()
