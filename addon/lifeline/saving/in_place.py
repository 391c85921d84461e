# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves the open file under its own name, unless that would harm something."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..errors import SaveError
from ..steps import skipped
from .attributes import attributes_of, give
from .open_file import open_file
from .overwriting import objection
from .verification import COMPRESSED, first_bytes
from .version import version_of
from .writing import umask, write

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..recovery_store import RecoveryStore
    from .version import Version
    from .writing import Written


def save_in_place(store: RecoveryStore, announce: Callable[[Path], None]) -> tuple[Path, Written]:
    """announce: called with the path once nothing speaks against writing it. Raises SaveError."""
    if not bpy.data.filepath:
        raise SaveError("the file has no name yet: give it one with File > Save As")
    path = Path(os.path.abspath(bpy.data.filepath))  # resolve() would follow links
    _look_at(path)
    before = attributes_of(path)
    with _locked(path if before is not None else path.parent):
        _refuse_other_version(path)
        if before is not None and (reason := objection()):
            raise SaveError(f"{path}: {reason}")
        announce(path)
        with contextlib.ExitStack() as during:
            if before is not None:
                # As private as the old one from its first byte on: Blender does not see to that.
                during.enter_context(umask(0o777 & ~before.mode))
            if open_file.saved_by_cleanup():
                during.enter_context(_no_backup())
            during.callback(_mark_if_new, path, version_of(path))
            compress = first_bytes(path).startswith(tuple(COMPRESSED))
            written = write(path, lambda: bpy.ops.wm.save_mainfile(compress=compress))
        if before is not None:
            give(path, before)
    # A recovery copy that is worked on, and left again, waits for its user again.
    record = store.find(path)
    if record is not None and record.restored_at:
        with contextlib.suppress(OSError):
            store.mark_unclaimed(record)
    return path, written


def _mark_if_new(path: Path, before: Version | None) -> None:
    """Also if the save failed in the end: the version that it wrote is not the user's."""
    if version_of(path) != before:
        open_file.mark_cleanup()


def _look_at(path: Path) -> None:
    """It is an ordinary file, or gone from a folder that is there. Raises SaveError."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        if path.parent.is_dir():
            _refuse_strange_draft(path)
            return
        raise SaveError(
            f"{path}: its folder is gone: bring {path.parent} back to save there"
        ) from None
    except OSError as error:
        raise SaveError(f"{path}: {error.strerror or error}") from error
    if stat.S_ISLNK(found.st_mode):
        raise SaveError(
            f"{path}: it is a symbolic link, which a save would break: open the file "
            "that it leads to, and save that one"
        )
    if not stat.S_ISREG(found.st_mode):
        raise SaveError(f"{path}: it is no ordinary file: save under another name")
    if not found.st_mode & _WRITABLE:
        # Blender refuses, too, but for root, who may do everything.
        raise SaveError(f"{path}: it is write-protected (mode {stat.S_IMODE(found.st_mode):04o})")
    _refuse_strange_draft(path)


def _refuse_strange_draft(path: Path) -> None:
    """Blender writes to this name first, through whatever is there."""
    draft = Path(f"{path}@")
    try:
        ordinary = stat.S_ISREG(draft.lstat().st_mode)
    except OSError:
        return
    if not ordinary:
        raise SaveError(f"{path}: Blender would write to {draft}, which is no ordinary file")


def _refuse_other_version(path: Path) -> None:
    if open_file.changed_by_others():
        raise SaveError(
            f"{path}: somebody else has saved it since it was opened here: "
            "compare the two, and save the one that is to stay"
        )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two Blenders that lose their server at once must not write one file at once.

    Who comes second has an older version and is refused: raises SaveError.
    """
    descriptor = _open_for_lock(path)
    if descriptor is None:
        yield  # saving will fail, or goes without
        return
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _open_for_lock(path: Path) -> int | None:
    # Network file systems lock only what is open for writing.
    for access in (os.O_RDWR, os.O_RDONLY):
        with contextlib.suppress(OSError):
            return os.open(path, access | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    return None


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise SaveError(f"{path}: another Blender is saving it right now") from error
        skipped("it cannot be locked", path, error)


@contextmanager
def _no_backup() -> Iterator[None]:
    """`.blend1` keeps what it has: the user's own last version, not a clean-up's."""
    preferences = bpy.context.preferences
    paths = preferences.filepaths
    versions, changed = paths.save_version, preferences.is_dirty
    paths.save_version = 0
    try:
        yield
    finally:
        paths.save_version = versions
        # Blender would save its preferences over this when it closes. Not settable everywhere.
        with contextlib.suppress(AttributeError):
            preferences.is_dirty = changed
