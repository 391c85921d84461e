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
from .log import about, logger
from .recovery_store import RecoveryFolder, RecoveryStore
from .wording import utf8

if TYPE_CHECKING:
    from cr8_lifeline import Lifeline

    from .recovery_store import Record


def store_for(line: Lifeline) -> RecoveryStore:
    """The recovery folders of this Blender's user."""
    settings = line.settings()
    return RecoveryStore(folders(settings.get("recovery_dir")), settings.get("username") or "")


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
        self._looking = False

    def step(self) -> None:
        """For the main thread, once Blender is up: opening a file is not possible before."""
        if self._at_start:
            self._at_start = False
            if not bpy.data.filepath and not bpy.data.is_dirty:
                self._restore_untitled()
        if bpy.data.filepath != self._seen:
            self._seen = bpy.data.filepath
            self._looking = bool(self._seen)
        # What a large file holds is known a little later.
        if self._looking and saving.open_file.content_is_read:
            self._looking = False
            self._point_out_copies(self._seen)

    def _restore_untitled(self) -> None:
        for record in self._store.unclaimed():
            if record.original_path:
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
                logger.error(
                    "Unsaved work in %s cannot be recovered: %s",
                    utf8(record.recovery_path),
                    " ".join(str(error).split()),
                    extra=about("recovery-failed", path=utf8(record.recovery_path)),
                )
                with contextlib.suppress(OSError):
                    self._store.mark_unclaimed(record)
                continue
            copy = utf8(record.recovery_path)
            logger.info("Recovered unsaved work from %s", copy, extra=about("recovered", path=copy))
            return

    def _point_out_copies(self, path: str) -> None:
        """A copy of a named file is for its user to choose: the file may have moved on."""
        for record in self._store.unclaimed():
            if record.original_path == path and _is_newer(record, path):
                logger.warning(
                    "Not all work on %s was saved there; its last work is in the recovery copy %s",
                    utf8(path),
                    utf8(record.recovery_path),
                    extra=about(
                        "recovery-copy-found", path=utf8(path), copy=utf8(record.recovery_path)
                    ),
                )
                return


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
