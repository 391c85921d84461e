# SPDX-License-Identifier: GPL-3.0-or-later
"""The log as JSON lines in a file of its own, for programs.

| key | what it is |
|---|---|
| `time` | ISO 8601, UTC |
| `level` | `debug`, `info`, `warning` or `error` |
| `event` | what has happened, as a name that stays; `log` if it has none |
| `message` | the line as it stands on standard output |
| `fields` | the values in it, by name |
| `pid` | the process |
| `traceback` | of an exception, if it is one |
"""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from .errors import LogFileError

if TYPE_CHECKING:
    from io import TextIOWrapper

# Bytes of a file, and how many older ones are kept.
_ROTATE_AT = 1 << 20
_KEPT = 2
# Seconds.
_LAST_WORDS = 1.0


class JsonLine(logging.Formatter):
    """Makes a line of a record."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
            "message": record.getMessage(),
            "fields": getattr(record, "fields", {}),
            "pid": record.process,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # What JSON cannot carry is spelled as text; a line is always whole.
        return json.dumps(line, default=str)


class _PrivateFile(RotatingFileHandler):
    """For its user alone."""

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding="utf-8", opener=opener)


def _open(path: str) -> _PrivateFile:
    """Raises LogFileError."""
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            raise LogFileError(f"The log file {path} is not an ordinary file: name another.")
        file = _PrivateFile(path, maxBytes=_ROTATE_AT, backupCount=_KEPT)
    except OSError as error:
        raise LogFileError(
            f"The log file {path} cannot be written ({error.strerror or error}): name another."
        ) from error
    file.setFormatter(JsonLine())
    return file


class LogFile(logging.Handler):
    """Writes what a logger says, on a thread of its own: a disk that hangs must not stop Blender.

    A file that cannot be used is told to the logger, once, and nothing is written.
    """

    def __init__(self, logger: logging.Logger, path: str) -> None:
        super().__init__()
        self.path = path
        self.refused = False
        """The file cannot be used."""
        self._logger = logger
        self._records: SimpleQueue[logging.LogRecord | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="cr8-log", daemon=True)
        self._thread.start()
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._records.put(record)

    def _write(self) -> None:
        try:
            file = _open(self.path)
        except LogFileError as error:
            self.refused = True
            self._logger.removeHandler(self)
            fields = {"event": "log-file-refused", "fields": {"path": self.path}}
            self._logger.error("%s", error, extra=fields)
            return
        while (record := self._records.get()) is not None:
            file.handle(record)
        file.close()

    def close(self) -> None:
        """Write what has been said, and no more. Waits for a second at most."""
        self._logger.removeHandler(self)
        self._records.put(None)
        self._thread.join(_LAST_WORDS)
        super().close()
