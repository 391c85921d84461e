# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings unsaved work back: what the last Blender of this user left in a recovery folder."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from . import configuration, own_files, saving
from .errors import SaveError
from .log import about, logger
from .recovery_store import CONNECTED, OUTAGE, Owner, RecoveryFolder, RecoveryStore
from .wording import one_line, utf8

if TYPE_CHECKING:
    from cr8_lifeline import Lifeline

    from .recovery_store import Record


# The newest ones will do; the folder has them all.
_OFFERED = 5


def store_for(line: Lifeline) -> RecoveryStore:
    """The recovery folders of this Blender's user."""
    settings = line.settings()
    owner = Owner(
        settings.get("user_id") or settings.get("username") or "",
        settings.get("server_url") or "",
        settings.get("project") or "",
    )
    return RecoveryStore(folders(settings.get("recovery_dir")), owner)


def folders(chosen: str | None) -> list[RecoveryFolder]:
    """Where recovery copies may go, the one that is set (None: none is) first.

    The later ones are for when the disk of the earlier ones is full, read-only or gone.
    """
    own = [
        chosen,
        bpy.utils.user_resource("DATAFILES", path="cr8_recovery"),
        os.path.expanduser("~/.cr8_recovery"),
    ]
    # Not `tempfile`: it wants to write before it answers.
    temporary = ("/var/tmp", os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - see RecoveryFolder
    shared = [f"{parent}/cr8_recovery-{os.geteuid()}" for parent in temporary]
    # A person without a home keeps the "~".
    usable = [path for path in own if path and not path.startswith("~")]
    ours = [_private(Path(os.path.abspath(path))) for path in usable]
    ours += [RecoveryFolder(Path(os.path.abspath(path)), shared=True) for path in shared]
    earlier = [RecoveryFolder(Path(os.path.abspath(path)), saves=False) for path in usable]
    candidates: dict[Path, RecoveryFolder] = {}
    for folder in (*ours, *earlier):
        candidates.setdefault(folder.path, folder)
    return list(candidates.values())


def _private(path: Path) -> RecoveryFolder:
    """This folder; where others may write, one of this user's own within."""
    try:
        if own_files.others_may_write(path):
            return RecoveryFolder(path / f"cr8_recovery-{os.geteuid()}", shared=True)
    except OSError:
        pass  # it is not there yet, or cannot be used: what saves there will say so
    return RecoveryFolder(path)


def first_folder() -> str:
    """Where recovery copies go as things are set now, unless its disk is full."""
    return str(folders(configuration.file_or_nothing("recovery_dir") or None)[0].path)


class Recovery:
    """Looks for work to bring back: at Blender's start, then at each newly opened file."""

    def __init__(self, store: RecoveryStore, *, at_start: bool) -> None:
        self._store = store
        self._at_start = at_start
        self._seen = ""
        self._looking = True
        self._offers: list[Record] = []
        self._wanted: Record | None = None
        # While something is offered. Blender's own `is_dirty` misses what scripts change.
        self._changes = saving.ChangeWatch()

    def stop(self) -> None:
        """Leave nothing behind."""
        self._changes.end()

    @property
    def offers(self) -> tuple[Record, ...]:
        """What was found, newest first, as far as it is there and nobody has opened it."""
        return tuple(self._offers)

    def step(self) -> None:
        """For the main thread, once Blender is up: opening a file is not possible before."""
        if self._at_start:
            self._at_start = False
            if not bpy.data.filepath and not bpy.data.is_dirty:
                self._restore_untitled()
        # To open a file is to break off a render.
        if self._wanted is not None and not bpy.app.is_job_running("RENDER"):
            wanted, self._wanted = self._wanted, None
            self._open(wanted)
        if bpy.data.filepath != self._seen:
            self._seen = bpy.data.filepath
            self._claim(self._seen)
            self._looking = True
        # What a large file holds is known a little later.
        if self._looking and saving.open_file.content_is_read:
            self._looking = False
            self._look(self._seen)

    def find(self, name: str) -> Record | None:
        """An offer by its file's name; "": the newest."""
        fits = (one for one in self._offers if name in ("", Path(one.recovery_path).name))
        return next(fits, None)

    def ask_to_open(self, record: Record) -> None:
        """In the next step: an operator, or a handler, does not outlive the opening of a file."""
        self._wanted = record

    def _open(self, record: Record) -> None:
        """What is open goes into a recovery copy first, if it has changed, or was rendered."""
        copy = utf8(record.recovery_path)
        try:
            if bpy.data.is_dirty or self._changes.changed or saving.renders.unsaved():
                saving.save(self._store, in_place=False, cause=CONNECTED)
            bpy.ops.wm.open_mainfile(filepath=record.recovery_path)
        except (SaveError, RuntimeError) as error:
            _tell_failed(copy, error)
            return
        logger.info("Opened unsaved work: %s", copy, extra=about("recovered", path=copy))

    def decline(self, record: Record) -> None:
        """Its user does not need it: it stays where it is, and is offered no more."""
        with contextlib.suppress(OSError):
            self._store.mark_restored(record)
        self._offers = [one for one in self._offers if one != record]

    def _claim(self, path: str) -> None:
        """A copy that is open, however it was opened, waits for nobody."""
        record = self._store.find(Path(path)) if path else None
        if record is not None and not record.restored_at:
            with contextlib.suppress(OSError):
                self._store.mark_restored(record)

    def _restore_untitled(self) -> None:
        for record in self._store.unclaimed():
            # What was open when a server ended Blender may be what its user has thrown away.
            if record.original_path or record.cause != OUTAGE:
                continue
            if not own_files.is_out_of_reach(Path(record.recovery_path).parent):
                logger.warning(
                    "Unsaved work is in %s, where others may write: it is not opened by itself",
                    utf8(record.recovery_path),
                    extra=about("recovery-not-opened", path=utf8(record.recovery_path)),
                )
                continue
            try:
                # Before it is opened: a copy that crashes Blender must not do so at every start.
                self._store.mark_restored(record)
                bpy.ops.wm.open_mainfile(filepath=record.recovery_path)
            except (OSError, RuntimeError) as error:
                _tell_failed(utf8(record.recovery_path), error)
                with contextlib.suppress(OSError):
                    self._store.mark_unclaimed(record)
                continue
            copy = utf8(record.recovery_path)
            logger.info("Recovered unsaved work from %s", copy, extra=about("recovered", path=copy))
            return

    def _look(self, opened: str) -> None:
        """A copy is for its user to choose: the file may have moved on."""
        # Who works in a copy works on what it was made of.
        worked_in = self._store.find(Path(opened)) if opened else None
        document = opened if worked_in is None else worked_in.original_path
        found = [
            record
            for record in self._store.unclaimed()
            if record.original_path in ("", document) and self._is_missing(record, worked_in)
        ]
        self._offers = found[:_OFFERED]
        self._changes.end()
        if found:
            self._changes.begin()
        for record in found:
            if record.original_path:
                _point_out(record)
                return

    def _is_missing(self, record: Record, worked_in: Record | None) -> bool:
        """Whether what the copy holds is not in its place, which is open."""
        if not record.original_path:
            return True
        if worked_in is not None:
            return record.saved_at > worked_in.saved_at
        if not record.content:
            return _is_newer(record, record.original_path)
        # It was saved there: what is there now may have been fetched from elsewhere.
        content = saving.open_file.content
        if content == record.content:
            self._store.discard(record)
        return content not in ("", record.content)


def _tell_failed(copy: str, error: Exception) -> None:
    logger.error(
        "Unsaved work in %s cannot be recovered: %s",
        copy,
        one_line(error),
        extra=about("recovery-failed", path=copy),
    )


def _point_out(record: Record) -> None:
    path, copy = utf8(record.original_path), utf8(record.recovery_path)
    if record.content:
        logger.warning(
            "What was saved to %s is not what is there now; it is in the copy %s",
            path,
            copy,
            extra=about("unsent-copy-found", path=path, copy=copy),
        )
        return
    logger.warning(
        "Not all work on %s was saved there; its last work is in the recovery copy %s",
        path,
        copy,
        extra=about("recovery-copy-found", path=path, copy=copy),
    )


def _is_newer(record: Record, path: str) -> bool:
    """Whether the copy is newer than the file as it is on the disk now.

    A file that holds what it held then is older, whatever its time: it may have been touched, or
    fetched anew.
    """
    if record.original_content and record.original_content == saving.open_file.content:
        return True
    try:
        changed = datetime.fromtimestamp(Path(path).stat().st_mtime, timezone.utc)
    except OSError:
        return True
    return datetime.fromisoformat(record.saved_at) > changed
