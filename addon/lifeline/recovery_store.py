# SPDX-License-Identifier: GPL-3.0-or-later
"""The recovery folders: copies of work that could not be saved in its own place.

Beside each copy `NAME.blend` lies its record `NAME.json`. Knows nothing of Blender.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import own_files
from .errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TRIES = 1000
# Bytes of a record: a few hundred.
_RECORD_MAX = 64 << 10
# Whatever else somebody has put into a folder.
_ENTRIES_MAX = 10_000


OUTAGE, CONNECTED, UNSENT = "outage", "connected", "unsent"
"""Why a copy was made: the server was lost; Blender ended while it was there, as by a SIGTERM; it
is a file that was saved in its place and has reached no store."""

CHANGED = "changed"
"""Stands for a digest that is not known, and is no other file's."""


class Owner(NamedTuple):
    """Whose copies. Two people may have one name, at two servers or in two projects."""

    user: str
    server: str = ""
    project: str = ""


class Original(NamedTuple):
    """The file that a copy was made of."""

    path: str
    """"" for one that had no name."""
    content: str = ""
    """A digest of what it held when it was opened or saved last; "": not known."""


@dataclass(frozen=True)
class Record:
    """One copy. Times in ISO 8601, UTC."""

    recovery_path: str
    original_path: str
    """"" for a file that had no name."""
    username: str
    saved_at: str
    restored_at: str = ""
    """"" while the copy waits for its user: neither opened nor replaced by newer work."""
    original_content: str = ""
    """`Original.content`: as long as the file holds that, the copy is newer, whatever its time."""
    server: str = ""
    """`Owner.server`; "" in records of earlier versions, which go by the name alone."""
    project: str = ""
    cause: str = OUTAGE
    content: str = ""
    """Of a file that is `UNSENT`: a digest of what it holds; `CHANGED` if it was worked on."""


@dataclass(frozen=True)
class RecoveryFolder:
    """Where copies may go. It is made when it is first needed."""

    path: Path
    shared: bool = False
    """Whether others can write beside it, as in the system's temporary folder."""
    saves: bool = True
    """New copies may go there; else it is only looked into for earlier ones."""

    def prepare(self) -> None:
        """Make it, for us alone. Raises SaveError."""
        try:
            _make(self.path)
            strange = self._strange()
        except OSError as error:
            raise SaveError(
                f"{self.path}: the recovery folder cannot be used: {error.strerror or error}"
            ) from error
        if strange:
            raise SaveError(f"{self.path}: the recovery folder {strange}")

    def records(self) -> Iterator[Record]:
        """What is in it, of this user's own files."""
        try:
            if self._strange():
                return
            # Not by `glob`, which makes a regular expression first.
            entries = itertools.islice(self.path.iterdir(), _ENTRIES_MAX)
            paths = [path for path in entries if path.suffix == ".json"]
        except OSError:
            return
        for path in paths:
            record = _read(path)
            if record is not None and own_files.is_ours(Path(record.recovery_path)):
                yield record

    def _strange(self) -> str:
        """What is wrong with a shared folder; "" if nothing is. Raises OSError."""
        if not self.shared:
            return ""
        found = self.path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return "is no folder, or a link to one"
        return own_files.strangeness(found, self.path, folder=True)


def _make(folder: Path) -> None:
    """With its parents, each ours alone (mkdir's own `mode` is for the last one only)."""
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        pass


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _record_path(copy: Path) -> Path:
    return copy.with_suffix(".json")


def _write(record: Record) -> None:
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False)
    content = text.encode("utf-8", "surrogateescape")
    own_files.replace(_record_path(Path(record.recovery_path)), content)


def _read(record_path: Path) -> Record | None:
    """None for what is no record of this user's own, or a record without its copy.

    A copy that its user works in may have got another mode with a save: whether it can be opened by
    itself is for `records` to say.
    """
    copy = record_path.with_suffix(".blend")
    try:
        content = own_files.read(record_path, _RECORD_MAX)
        fields = json.loads(content.decode("utf-8", "surrogateescape"))
        # The copy lies beside its record, even if the folder was moved since.
        record = Record(**{**fields, "recovery_path": str(copy)})
        datetime.fromisoformat(record.saved_at)
        # Each is text, and some are paths that will be looked for.
        if any(b"\0" in os.fsencode(field) for field in asdict(record).values()):
            return None
        return record if copy.is_file() else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


class RecoveryStore:
    """The copies of one user."""

    def __init__(self, folders: Sequence[RecoveryFolder], owner: Owner) -> None:
        self.folders = tuple(folder for folder in folders if folder.saves)
        """Where copies may go; the one to use first, first."""
        self._earlier = tuple(folder for folder in folders if not folder.saves)
        self._owner = owner

    def reserve(self, folder: RecoveryFolder, original: str) -> Path:
        """A path for a new copy in the folder, which nobody else gets. Raises SaveError.

        The record's exclusive creation, still empty, is what reserves the name.
        """
        folder.prepare()
        stem = Path(original).stem if original else self._owner.user
        # File systems count bytes.
        short = re.sub(r"[^\w.-]+", "_", stem).encode("utf-8", "ignore")[:60]
        readable = short.decode("utf-8", "ignore").strip("._") or "untitled"
        start = f"{_now():%Y%m%dT%H%M%SZ}-{readable}"
        try:
            for number in range(1, _TRIES):
                copy = folder.path / f"{start}-{number}.blend"
                if os.path.lexists(copy):
                    continue
                try:
                    _record_path(copy).touch(mode=0o600, exist_ok=False)
                except FileExistsError:
                    continue
                return copy
        except OSError as error:
            raise SaveError(
                f"{folder.path}: the recovery folder cannot be written: {error.strerror or error}"
            ) from error
        raise SaveError(f"{folder.path}: the recovery folder has no free name for {start}")

    def keep(
        self, copy: Path, original: Original, *, cause: str = OUTAGE, content: str = ""
    ) -> None:
        """The copy is written: write its record. Raises OSError."""
        own_files.make_private(copy)
        _write(
            Record(
                recovery_path=str(copy),
                original_path=original.path,
                original_content=original.content,
                username=self._owner.user,
                server=self._owner.server,
                project=self._owner.project,
                cause=cause,
                content=content,
                saved_at=_now().isoformat(),
            )
        )

    def give_back(self, copy: Path) -> None:
        """There is no copy after all: nothing of it is left, its name is free again."""
        record = _record_path(copy)
        # What is written first, by Blender and by us, and renamed at the end.
        for path in (Path(f"{copy}@"), copy, record):
            path.unlink(missing_ok=True)

    def discard(self, record: Record) -> None:
        """What it holds is in its place: nobody needs it."""
        with contextlib.suppress(OSError):
            self.give_back(Path(record.recovery_path))

    def unclaimed(self) -> list[Record]:
        """This user's copies that nobody has opened yet, newest first."""
        records = [
            record
            for folder in (*self.folders, *self._earlier)
            for record in folder.records()
            if self._is_ours(record) and not record.restored_at
        ]
        return sorted(records, key=lambda record: record.saved_at, reverse=True)

    def _is_ours(self, record: Record) -> bool:
        user, server, project = self._owner
        if record.username != user:
            return False
        return not record.server or (record.server, record.project) == (server, project)

    def mark_restored(self, record: Record) -> None:
        """The copy's work is open again, or part of newer work. Raises OSError."""
        _write(Record(**{**asdict(record), "restored_at": _now().isoformat()}))

    def mark_unclaimed(self, record: Record) -> None:
        """The copy, with what was done in it, waits for its user again. Raises OSError."""
        own_files.make_private(Path(record.recovery_path))
        changes = {"saved_at": _now().isoformat(), "restored_at": ""}
        if record.content:
            changes["content"] = CHANGED
        _write(Record(**{**asdict(record), **changes}))

    def find(self, copy: Path) -> Record | None:
        """The record of a copy, None for any other file."""
        if any(copy.parent == folder.path for folder in (*self.folders, *self._earlier)):
            return _read(_record_path(copy))
        return None
