# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves the open file, and believes only what it then finds on the disk.

For the main thread only. Everything here raises SaveError with a reason that a
person can act on.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from .errors import SaveError
from .log import logger
from .wording import utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from .recovery_store import RecoveryStore

# Plain, Zstandard and (before 3.0) gzip.
_MAGIC = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")

# A file system that has no such thing as flushing a file.
_CANNOT_FLUSH = (errno.EINVAL, errno.ENOTSUP)


def save_in_place(store: RecoveryStore) -> Path:
    """Save the file under its own name."""
    if not bpy.data.filepath:
        raise SaveError("the file has no name yet")
    path = Path(os.path.abspath(bpy.data.filepath))  # resolve() would follow links
    _write(path, bpy.ops.wm.save_mainfile)
    # A recovery copy that is worked on, and left again, waits for its user again.
    record = store.find(path)
    if record is not None and record.restored_at:
        with contextlib.suppress(OSError):
            store.mark_unclaimed(record)
    return path


def save_recovery_copy(store: RecoveryStore) -> Path:
    """Save a copy into the recovery folder; the open file keeps its name."""
    original = bpy.data.filepath
    copy = store.reserve(original)
    try:
        _write(copy, lambda: bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True))
    except SaveError:
        # What is there may be in doubt, and yet all that is left of the work.
        if _is_blender_file(copy):
            _keep(store, copy, original)
        else:
            with contextlib.suppress(OSError):
                store.give_back(copy)
        raise
    _keep(store, copy, original)
    return copy


def _keep(store: RecoveryStore, copy: Path, original: str) -> None:
    try:
        store.keep(copy, original)
    except OSError as error:
        # The work itself is there; only the next start will not find it by itself.
        logger.warning("The record of recovery copy %s was not written: %s", utf8(str(copy)), error)


def _write(path: Path, operator: Callable[[], Any]) -> None:
    logger.info("Saving Blender file: %s", utf8(str(path)))
    before = _version(path)
    try:
        result = operator()
    except RuntimeError as error:
        reason = " ".join(str(error).removeprefix("Error:").split())
        raise SaveError(f"{utf8(str(path))}: {reason}") from error
    if "FINISHED" not in result:
        raise SaveError(f"{utf8(str(path))}: Blender gave up saving")
    _verify(path, before)


def _version(path: Path) -> tuple[int, int] | None:
    """Which version of the file this is: Blender replaces the file with each save."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _verify(path: Path, before: tuple[int, int] | None) -> None:
    """What Blender says it saved is there, is new, is a Blender file, and is on the disk."""
    if before is not None and _version(path) == before:
        raise SaveError(f"{utf8(str(path))}: the file has not changed")
    try:
        with path.open("rb+") as file:
            start = file.read(7)
            _flush(file.fileno())
    except OSError as error:
        raise SaveError(f"{utf8(str(path))}: {error.strerror or error}") from error
    if not start:
        raise SaveError(f"{utf8(str(path))}: the file is empty")
    if not start.startswith(_MAGIC):
        raise SaveError(f"{utf8(str(path))}: not a Blender file")


def _is_blender_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(7).startswith(_MAGIC)
    except OSError:
        return False


def _flush(descriptor: int) -> None:
    # Blender does not, and the machine may be taken away right after the quit.
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
