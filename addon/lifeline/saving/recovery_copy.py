# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves a copy of the open file into a recovery folder; the open file keeps its name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import SaveError
from ..log import about, logger
from ..recovery_store import Original
from ..wording import utf8
from .open_file import open_file
from .temporary_files import goes_with_blender
from .verification import COMPRESSED, MAGIC, first_bytes
from .version import version_of
from .writing import umask, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..recovery_store import RecoveryFolder, RecoveryStore
    from .version import Version
    from .writing import Written


class CopyInDoubtError(SaveError):
    """A copy is there, and yet there is no word that it is safe."""

    def __init__(self, copy: Path, reason: str) -> None:
        super().__init__(reason)
        self.copy = copy


def save_recovery_copy(
    store: RecoveryStore, folder: RecoveryFolder, cause: str, announce: Callable[[Path], None]
) -> tuple[Path, Written]:
    """cause: `Record.cause`. announce: called with the copy's path before it is written.

    Raises SaveError, leaving nothing behind; CopyInDoubtError.
    """
    copy, original = reserve_copy(store, folder)
    try:
        announce(copy)
        with private_copy():
            written = write(copy, lambda: save_copy(copy))
    except BaseException as error:
        if isinstance(error, SaveError) and first_bytes(copy).startswith(MAGIC):
            _keep(store, copy, original, cause)
            raise CopyInDoubtError(copy, str(error)) from error
        with contextlib.suppress(OSError):
            store.give_back(copy)
        raise
    _keep(store, copy, original, cause)
    return copy, written


def reserve_copy(store: RecoveryStore, folder: RecoveryFolder) -> tuple[Path, Original]:
    """A name for a copy of the open file, and whose work it is. Raises SaveError."""
    if goes_with_blender(folder.path):
        raise SaveError(f"{folder.path}: Blender deletes this folder when it closes")
    original = _original(store)
    return store.reserve(folder, original.path), original


@contextlib.contextmanager
def private_copy() -> Iterator[None]:
    """What is saved meanwhile is a copy, private from its first byte on."""
    with umask(0o077), open_file.copying():
        yield


def save_copy(copy: Path) -> Any:
    """By Blender's operator; its result. Raises RuntimeError."""
    compress = _compressed()
    return bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, compress=compress)


def give_back_unopened(
    store: RecoveryStore, copy: Path, written: Version | None, *, superseded: bool = False
) -> None:
    """Unless somebody works in it: another Blender of this user may have opened it.

    written: the version of it that is ours. superseded: it is marked as restored, but not opened.
    """
    record = store.find(copy)
    opened = record is not None and record.restored_at and not superseded
    if not opened and version_of(copy) == written:
        with contextlib.suppress(OSError):
            store.give_back(copy)


def _original(store: RecoveryStore) -> Original:
    """Whose work it is: of a copy that is worked on, the file that it was made of."""
    path = bpy.data.filepath
    record = store.find(Path(path)) if path else None
    if record is None:
        return Original(path, open_file.content)
    return Original(record.original_path, record.original_content)


def _compressed() -> bool:
    """As the file is on the disk; for one that is not, as the preferences say."""
    if start := first_bytes(Path(bpy.data.filepath)) if bpy.data.filepath else b"":
        return start.startswith(tuple(COMPRESSED))
    return bool(bpy.context.preferences.filepaths.use_file_compression)


def _keep(store: RecoveryStore, copy: Path, original: Original, cause: str) -> None:
    try:
        store.keep(copy, original, cause=cause)
    except OSError as error:
        # The work itself is there; only the next start will not find it by itself.
        logger.warning(
            "The record of recovery copy %s was not written: %s",
            utf8(str(copy)),
            error,
            extra=about("recovery-record-failed", path=utf8(str(copy)), reason=utf8(str(error))),
        )
