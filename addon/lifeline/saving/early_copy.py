# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the work while the server is unreachable, in case Blender does not live to save it.

Blender's state and the open file are untouched. On the main thread it costs one save: what is
written is verified, and the copy before it deleted, on a thread of its own.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import bpy

from ..errors import SaveError
from ..log import about, logger
from ..wording import utf8
from .changes import ChangeWatch
from .flush import flushed
from .open_file import open_file
from .recovery_copy import give_back_unopened, private_copy, reserve_copy, save_copy
from .verification import verify
from .version import version_of
from .writing import write_unverified

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..recovery_store import Original, RecoveryStore
    from .version import Version

    Tell = Callable[[Path | None], None]

# Seconds that Blender's end waits at most until the copy is gone.
_LAST_MOMENT = 1.0


class EarlyCopy:
    """The one of the open file; each replaces the one before."""

    def __init__(self) -> None:
        self._copy: Path | None = None
        self._written: Version | None = None
        self._opened_or_saved = 0
        self._stale = False
        self._superseded = False
        self._saves = 0
        self._changes = ChangeWatch()
        self._thread: threading.Thread | None = None

    def make(self, store: RecoveryStore, tell: Tell) -> None:
        """Make one, unless nothing has changed since the last one.

        tell: called with its path once it is verified, on another thread.
        """
        changed = self._copy is None or self._stale or self._changes.changed
        if self._is_busy() or not changed:
            return
        found = open_file.opened_or_saved
        if self._copy is not None and found != self._opened_or_saved and not bpy.data.is_dirty:
            self.drop(store, tell)  # a person has saved since
            return
        self._opened_or_saved = found
        for folder in store.folders:
            try:
                copy, original = reserve_copy(store, folder)
                _write(store, copy)
            except Exception as error:  # the work is as safe as before, and there is the next one
                _tell_failed(error)
                continue
            self._stale = False
            self._changes.begin()
            self._begin(self._keep, store, copy, original, self._saves, tell)
            return

    def drop(self, store: RecoveryStore, tell: Tell) -> None:
        """It is not needed any more. tell: called with None, on another thread."""
        self._changes.end()
        self._saves += 1
        if self._copy is not None or self._is_busy():
            self._begin(self._forget, store, tell)

    def settle(self) -> None:
        """Blender closes: wait a moment for what has been begun."""
        if self._thread is not None:
            self._thread.join(_LAST_MOMENT)

    def superseded(self, store: RecoveryStore) -> None:
        """The work is on the disk: nobody is to be led to this copy, nor to one under way."""
        self._saves += 1
        copy = self._copy
        record = None if copy is None else store.find(copy)
        if record is not None and not record.restored_at:
            with contextlib.suppress(OSError):
                store.mark_restored(record)
                self._superseded = True

    def _keep(
        self, store: RecoveryStore, copy: Path, original: Original, saves: int, tell: Tell
    ) -> None:
        def wanted() -> bool:
            """Else the work was saved meanwhile, or is not to be kept."""
            return saves == self._saves

        try:
            verify(copy, None, wanted=wanted)
            store.keep(copy, original)
        except Exception as error:
            _give_back(store, copy)
            if wanted():
                self._stale = True
                _tell_failed(error)
            return
        if not wanted():
            _give_back(store, copy)
            return
        self._delete(store)
        self._written, self._superseded = version_of(copy), False
        self._copy = copy
        if not wanted():
            self._delete(store)
            return
        name = utf8(str(copy))
        logger.info(
            "In case Blender does not live to save: the work is in %s",
            name,
            extra=about("early-copy", path=name),
        )
        tell(copy)

    def _forget(self, store: RecoveryStore, tell: Tell) -> None:
        self._delete(store)
        tell(None)

    def _delete(self, store: RecoveryStore) -> None:
        copy, self._copy = self._copy, None
        if copy is not None:
            give_back_unopened(store, copy, self._written, superseded=self._superseded)

    def _is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _begin(self, work: Callable[..., None], *args: Any) -> None:
        """On a thread, after what was begun before."""
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            try:
                work(*args)
            except Exception:
                logger.exception("The early copy is in doubt", extra=about("early-copy-failed"))

        thread = threading.Thread(target=run, name="cr8-early-copy", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is to be had: nothing of it is done here
            return
        self._thread = thread


def _write(store: RecoveryStore, copy: Path) -> None:
    """Raises what it may, leaving nothing behind."""
    try:
        with flushed(packing=False), private_copy():
            write_unverified(copy, lambda: save_copy(copy))
    except BaseException:
        _give_back(store, copy)
        raise


def _give_back(store: RecoveryStore, copy: Path) -> None:
    with contextlib.suppress(OSError):
        store.give_back(copy)


def _tell_failed(error: Exception) -> None:
    reason = str(error) if isinstance(error, SaveError) else f"{type(error).__name__}: {error}"
    logger.warning(
        "No early copy: %s", utf8(reason), extra=about("early-copy-failed", reason=utf8(reason))
    )


early_copy = EarlyCopy()
"""A Blender has one open file."""
