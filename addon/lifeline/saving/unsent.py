# SPDX-License-Identifier: GPL-3.0-or-later
"""A second copy of a file that was saved in its place, and may not get to its store.

Where the next Blender is started with what the store has, that is written over the file, often into
it: another name of the same file (a hard link) would go with it. So its bytes are shared where the
file system can do that, and else copied, on a thread of their own.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from typing import TYPE_CHECKING

from ..log import about, logger
from ..recovery_store import UNSENT, Original
from ..steps import flush
from ..wording import one_line, utf8
from .content import digest_of
from .recovery_copy import give_back_unopened
from .temporary_files import goes_with_blender
from .version import version_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..recovery_store import RecoveryFolder, RecoveryStore
    from .version import Version

# ioctl of Linux: these bytes, shared until one of the two files changes.
_FICLONE = 0x40049409
_CHUNK = 8 << 20
# A disk that the copy would fill keeps so much, in bytes.
_LEFT_FREE = 1 << 30


class Unsent:
    """The one copy of this Blender's last clean-up."""

    def __init__(self) -> None:
        self._copy: Path | None = None
        self._written: Version | None = None
        self._thread: threading.Thread | None = None
        self._keeps = 0

    def keep(self, store: RecoveryStore, path: Path) -> None:
        """Begin. For the main thread."""
        self._keeps += 1
        # Asks Blender, which a thread must not.
        folders = [each for each in store.folders if not goes_with_blender(each.path)]
        keeps = self._keeps
        self._begin(lambda: self._replace(store, folders, path, keeps))

    def drop(self, store: RecoveryStore) -> None:
        """Whoever works on has it in Blender."""
        self._keeps += 1
        if self._copy is not None or self._is_busy():
            self._begin(lambda: self._delete(store))

    def settle(self, seconds: float) -> None:
        """Blender closes: wait a moment for what has been begun."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _begin(self, work: Callable[[], None]) -> None:
        """On a thread, after what was begun before."""
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            work()

        thread = threading.Thread(target=run, name="cr8-unsent", daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread is to be had
            thread.start()
            self._thread = thread

    def _replace(
        self, store: RecoveryStore, folders: list[RecoveryFolder], path: Path, keeps: int
    ) -> None:
        copy = None
        for folder in folders:
            try:
                copy = _keep(store, folder, path)
                break
            except Exception as error:  # the file itself is saved
                logger.info(
                    "No second copy of %s: %s",
                    utf8(str(path)),
                    one_line(error),
                    extra=about("unsent-failed", path=utf8(str(path))),
                )
        self._delete(store)
        self._copy, self._written = copy, None if copy is None else version_of(copy)
        if keeps != self._keeps:
            self._delete(store)

    def _delete(self, store: RecoveryStore) -> None:
        copy, self._copy = self._copy, None
        if copy is not None:
            give_back_unopened(store, copy, self._written)


unsent = Unsent()
"""A Blender has one open file."""


def _keep(store: RecoveryStore, folder: RecoveryFolder, path: Path) -> Path:
    """Raises SaveError, OSError."""
    copy = store.reserve(folder, str(path))
    try:
        _copy(path, copy)
        store.keep(copy, Original(str(path)), cause=UNSENT, content=digest_of(copy))
    except BaseException:
        with contextlib.suppress(OSError):
            store.give_back(copy)
        raise
    return copy


def _copy(path: Path, copy: Path) -> None:
    """Raises OSError."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with (
        open(os.open(path, os.O_RDONLY | flags), "rb", buffering=0) as there,
        open(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600), "wb") as here,
    ):
        found = os.fstat(there.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no ordinary file")
        if not _share(there.fileno(), here.fileno()):
            room = os.statvfs(copy.parent)
            if room.f_bavail * room.f_frsize < found.st_size + _LEFT_FREE:
                raise OSError("there is too little room for it")
            while chunk := there.read(_CHUNK):
                here.write(chunk)
            here.flush()
        flush(here.fileno(), copy)


def _share(there: int, here: int) -> bool:
    """Whether the file system can, and did."""
    with contextlib.suppress(OSError, ImportError):
        import fcntl

        fcntl.ioctl(here, _FICLONE, there)
        return True
    return False
