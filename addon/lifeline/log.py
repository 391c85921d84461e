# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's log: lines on standard output, as its users know them, and JSON lines in a file."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from . import options, output
from .wording import clean

if TYPE_CHECKING:
    from .log_file import LogFile
    from .output import Outlet

logger = logging.getLogger(__package__)
"""All lines of Lifeline's go here, and from here to the logger that the add-on has chosen."""

_added: list[tuple[logging.Logger, logging.Handler]] = []
_own: logging.Logger | None = None
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


class _Onward(logging.Handler):
    """To another logger, under its name."""

    def __init__(self, to: logging.Logger) -> None:
        super().__init__()
        self._to = to

    def emit(self, record: logging.LogRecord) -> None:
        record.name = self._to.name
        if self._to.isEnabledFor(record.levelno):
            self._to.handle(record)


def register() -> None:
    """Let the log out, by the logger that the add-on has chosen."""
    chosen = options.current.logger
    if isinstance(chosen, str):
        chosen = logging.getLogger(chosen)
        _write_out(chosen)
    if chosen is not logger:
        _add(logger, _Onward(chosen))
        logger.propagate = False
        logger.setLevel(chosen.getEffectiveLevel())


def _add(to: logging.Logger, handler: logging.Handler) -> None:
    to.addHandler(handler)
    _added.append((to, handler))


def _write_out(own: logging.Logger) -> None:
    """On standard output, unless the add-on has a logger that does so."""
    global _own
    outlet = output.standard_output()
    # What a script has put in the place of standard output is written to as it stands.
    handler = _Lines(outlet) if outlet is not None else logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Line())
    _add(own, handler)
    own.propagate = False
    if own.level == logging.NOTSET:
        own.setLevel(logging.INFO)
    _own = own


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
    global _own
    _close_file()
    while _added:
        from_logger, handler = _added.pop()
        from_logger.removeHandler(handler)
    logger.propagate = True
    if _own is not None:
        _own.propagate = True
        _own = None
    output.unregister()
