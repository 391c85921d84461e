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

import errno
import json
import logging
import os
import stat
import threading
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from queue import Full, Queue
from typing import Any

from .errors import LogFileError
from .wording import amount

# Bytes of a file, and how many older ones are kept.
_ROTATE_AT = 1 << 20
_KEPT = 2
# Lines that wait for a disk that hangs; further ones are lost.
_WAITING = 10_000
# How long the last lines may hold up Blender's end (seconds).
_LAST_WORDS = 0.5


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


class _File:
    """The file, and older ones beside it. For its user alone.

    None of logging's own handlers: those are closed, and waited for, at Python's end.
    """

    def __init__(self, path: str) -> None:
        """Raises OSError."""
        self._path = path
        self._open()

    def write(self, line: str) -> bool:
        """False: it does not take the line."""
        data = f"{line}\n".encode("utf-8", "backslashreplace")
        try:
            if self._size and self._size + len(data) > _ROTATE_AT:
                self._rotate()
            self._file.write(data)
            self._file.flush()
        except (OSError, ValueError):  # ValueError: it could not be opened again
            return False
        self._size += len(data)
        return True

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()

    def _open(self) -> None:
        def opener(path: str, flags: int) -> int:
            # Looked at as it is open: what lies there may change in between.
            descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise OSError(errno.ELOOP, "it is not an ordinary file")
            return descriptor

        self._file = open(self._path, "ab", opener=opener)  # noqa: SIM115 - closed by `close`
        self._size = self._file.tell()

    def _rotate(self) -> None:
        self.close()
        for number in reversed(range(_KEPT)):
            newer = f"{self._path}.{number}" if number else self._path
            with suppress(FileNotFoundError):
                os.replace(newer, f"{self._path}.{number + 1}")
        self._open()


def _open(path: str) -> _File:
    """Raises LogFileError."""
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _File(path)
    except OSError as error:
        # A link; a pipe that nobody reads.
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise LogFileError(
                f"The log file {path} is not an ordinary file: name another."
            ) from error
        raise LogFileError(
            f"The log file {path} cannot be written ({error.strerror or error}): name another."
        ) from error


def _put(file: _File, record: logging.LogRecord) -> bool:
    """False: the file does not take it, or no line can be made of it."""
    try:
        line = JsonLine().format(record)
    except Exception:
        return False
    return file.write(line)


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
        self._records: Queue[logging.LogRecord | None] = Queue(_WAITING)
        self._counting = threading.Lock()
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="cr8-log", daemon=True)
        self._thread.start()
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._records.put_nowait(record)
        except Full:
            self._lose(1)

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
            if not _put(file, record):
                self._lose(1)
                continue
            lost = self._take_lost()
            if lost and not _put(file, _lines_lost(self._logger.name, lost)):
                self._lose(lost)
        file.close()

    def _lose(self, lines: int) -> None:
        with self._counting:
            self._lost += lines

    def _take_lost(self) -> int:
        with self._counting:
            lost, self._lost = self._lost, 0
        return lost

    def close(self) -> None:
        """Write what has been said, and no more. Waits for a moment at most."""
        self._logger.removeHandler(self)
        with suppress(Full):
            self._records.put(None, timeout=_LAST_WORDS)
            self._thread.join(_LAST_WORDS)
        super().close()


def _lines_lost(logger: str, lost: int) -> logging.LogRecord:
    record = logging.LogRecord(
        logger, logging.WARNING, __file__, 0, "The log has lost %s", (amount(lost, "line"),), None
    )
    record.__dict__.update(event="lines-lost", fields={"lines": lost})
    return record
