# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery folder: copies of work that could not be saved in its own place.

Beside each copy `NAME.blend` lies its record `NAME.json`. Knows nothing of Blender.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRIES = 1000


@dataclass(frozen=True)
class Record:
    """One copy. Times in ISO 8601, UTC."""

    recovery_path: str
    original_path: str
    """"" for a file that had no name."""
    username: str
    saved_at: str
    restored_at: str = ""
    """"" until the copy was opened in place of the lost work."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _record_path(copy: Path) -> Path:
    return copy.with_suffix(".json")


def _write(record: Record) -> None:
    target = _record_path(Path(record.recovery_path))
    draft = target.with_suffix(".json~")
    with open(
        draft,
        "w",
        encoding="utf-8",
        errors="surrogateescape",
        opener=lambda path, flags: os.open(path, flags, 0o600),
    ) as file:
        json.dump(asdict(record), file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)


def _read(record_path: Path) -> Record | None:
    """None for what is no record, or a record without its copy."""
    copy = record_path.with_suffix(".blend")
    try:
        fields = json.loads(record_path.read_text(encoding="utf-8", errors="surrogateescape"))
        # The copy lies beside its record, even if the folder was moved since.
        record = Record(**{**fields, "recovery_path": str(copy)})
        datetime.fromisoformat(record.saved_at)
    except (OSError, ValueError, TypeError):
        return None
    return record if copy.is_file() else None


class RecoveryStore:
    """The copies of one user in one folder, which is made when it is first needed."""

    def __init__(self, folder: Path, username: str) -> None:
        self._folder = folder
        self._username = username

    def reserve(self, original: str) -> Path:
        """A path for a new copy, which nobody else gets. Raises SaveError.

        The record's exclusive creation, still empty, is what reserves the name.
        """
        stem = Path(original).stem if original else self._username
        # File systems count bytes.
        short = re.sub(r"[^\w.-]+", "_", stem).encode("utf-8", "ignore")[:60]
        readable = short.decode("utf-8", "ignore").strip("._") or "untitled"
        start = f"{_now():%Y%m%dT%H%M%SZ}-{readable}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(1, _TRIES):
                copy = self._folder / f"{start}-{number}.blend"
                if os.path.lexists(copy):
                    continue
                try:
                    _record_path(copy).touch(mode=0o600, exist_ok=False)
                except FileExistsError:
                    continue
                return copy
        except OSError as error:
            raise SaveError(f"the recovery folder cannot be written: {error}") from error
        raise SaveError(f"the recovery folder {self._folder} has no free name for {start}")

    def keep(self, copy: Path, original: str) -> None:
        """The copy is safe: write its record. Raises OSError."""
        copy.chmod(0o600)
        _write(
            Record(
                recovery_path=str(copy),
                original_path=original,
                username=self._username,
                saved_at=_now().isoformat(),
            )
        )

    def give_back(self, copy: Path) -> None:
        """There is no copy after all: its name is free again."""
        copy.unlink(missing_ok=True)
        _record_path(copy).unlink(missing_ok=True)

    def unclaimed(self) -> list[Record]:
        """This user's copies that nobody has opened yet, newest first."""
        records = [
            record
            for record in self._records()
            if record.username == self._username and not record.restored_at
        ]
        return sorted(records, key=lambda record: record.saved_at, reverse=True)

    def mark_restored(self, record: Record) -> None:
        """The copy's work is open again. Raises OSError."""
        _write(Record(**{**asdict(record), "restored_at": _now().isoformat()}))

    def mark_unclaimed(self, record: Record) -> None:
        """The copy's work waits for its user again. Raises OSError."""
        Path(record.recovery_path).chmod(0o600)
        _write(Record(**{**asdict(record), "saved_at": _now().isoformat(), "restored_at": ""}))

    def find(self, copy: Path) -> Record | None:
        """The record of a copy, None for any other file."""
        return _read(_record_path(copy)) if copy.parent == self._folder else None

    def _records(self) -> Iterator[Record]:
        if self._folder.is_dir():
            for path in self._folder.glob("*.json"):
                record = _read(path)
                if record is not None:
                    yield record
