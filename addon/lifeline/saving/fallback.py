# SPDX-License-Identifier: GPL-3.0-or-later
"""The fallback chain: the file in its own place, else a copy in the first folder that takes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import SaveError
from ..log import about, logger
from ..recovery_store import OUTAGE
from ..wording import utf8
from .early_copy import early_copy
from .flush import flushed
from .in_place import save_in_place
from .open_file import open_file
from .recovery_copy import CopyInDoubtError, save_recovery_copy
from .renders import renders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..recovery_store import RecoveryStore
    from .verification import Digest
    from .writing import Written


@dataclass(frozen=True)
class Saved:
    """Work that is safe."""

    path: Path
    recovery: bool
    """A copy in a recovery folder, not the file itself."""
    digest: Digest | None
    """Of what was read back from the disk; None: the host does that."""
    failures: tuple[str, ...]
    """Why the steps before it failed, and what it lacks, if anything: a sentence each."""
    render: Path | None = None
    """Where the finished render is that the file does not hold, if there is one."""


def _tell_nobody(_path: Path) -> None:
    pass


def save(
    store: RecoveryStore,
    *,
    in_place: bool = True,
    cause: str = OUTAGE,
    begin: Callable[[Path], None] = _tell_nobody,
) -> Saved:
    """Save the open file, or at least its work.

    in_place: False: begin with the recovery folders. cause: of a recovery copy's record. begin:
    called with the path that a step is about to write. Raises SaveError when every step has
    failed.
    """
    with flushed() as lacking:
        return _try_each(store, in_place, cause, begin, list(lacking))


def _try_each(
    store: RecoveryStore,
    in_place: bool,
    cause: str,
    begin: Callable[[Path], None],
    failures: list[str],
) -> Saved:
    def announce(path: Path) -> None:
        name = utf8(str(path))
        logger.info("Saving Blender file: %s", name, extra=about("save-begun", path=name))
        try:
            begin(path)
        except Exception:  # who is told must not decide whether it is saved
            logger.exception("The save goes on untold", extra=about("save-untold"))

    def failed(error: Exception) -> None:
        reason = str(error) if isinstance(error, SaveError) else f"{type(error).__name__}: {error}"
        logger.warning(
            "Blender file not saved: %s",
            utf8(reason),
            extra=about("save-failed", reason=utf8(reason)),
        )
        failures.append(utf8(reason))

    def lacks(text: str) -> None:
        reason = utf8(text)
        logger.warning("Not saved with it: %s", reason, extra=about("left-out", reason=reason))
        failures.append(reason)

    def saved(path: Path, written: Written, *, recovery: bool) -> Saved:
        if written.report:
            lacks(f"what Blender has reported, though {path} was saved: {written.report}")
        render = None
        try:
            render = renders.save(beside=path)
        except Exception as error:
            lacks(str(error))
        return Saved(path, recovery, written.digest, tuple(failures), render)

    doubtful: list[Path] = []
    # Whatever goes wrong on one step, there is the next.
    if in_place:
        try:
            path, written = save_in_place(store, announce)
        except Exception as error:
            failed(error)
        else:
            open_file.copies.superseded(store)
            early_copy.superseded(store)
            return saved(path, written, recovery=False)
    for folder in store.folders:
        try:
            copy, written = save_recovery_copy(store, folder, cause, announce)
        except CopyInDoubtError as error:
            doubtful.append(error.copy)
            failed(error)
        except Exception as error:
            failed(error)
        else:
            open_file.copies.superseded(store, *doubtful, by=copy)
            early_copy.superseded(store)
            return saved(copy, written, recovery=True)
    open_file.copies.in_doubt(store, doubtful)
    raise SaveError(*failures)
