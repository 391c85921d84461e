# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a save that the work can do without: where one fails, a line in the log says so.

Essential are those without which the work, or somebody else's, may be lost: that Blender writes,
that all of it can be read back, and that the disk does not say that it has lost something. The
others are refused by whole kinds of file systems (CIFS, FAT, object stores, what a container has
mounted), on which the work is as safe as any.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .log import about, logger
from .wording import utf8

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a flush says where there is no such thing, or not for this file. All else, of a server that
# is gone, too (ESTALE, ETIMEDOUT, ENOTCONN), says that the data may not be on the disk.
_NO_SUCH_THING = (
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.EBADF,
    errno.EISDIR,
    errno.EPERM,
    errno.EACCES,
    errno.EROFS,
)


def skipped(step: str, path: Path, error: OSError) -> None:
    """step: what is not done, as the log is to call it."""
    reason = utf8(error.strerror or str(error))
    name = utf8(str(path))
    logger.warning(
        "%s: %s (%s); the work is as safe without",
        name,
        step,
        reason,
        extra=about("step-skipped", path=name, step=step, reason=reason),
    )


@contextmanager
def optional(step: str, path: Path) -> Iterator[None]:
    """An OSError ends here. step: as for `skipped`."""
    try:
        yield
    except OSError as error:
        skipped(step, path, error)


def flush(descriptor: int, path: Path) -> None:
    """Blender does not, and the machine may be taken away right after the quit.

    Raises OSError if the disk has lost something.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SUCH_THING:
            raise
        skipped("it cannot be flushed", path, error)


def flush_folder(folder: Path) -> None:
    """A file is found again only if its name is on the disk, too. Raises OSError, as `flush`."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        skipped("it cannot be flushed", folder, error)
        return
    try:
        flush(descriptor, folder)
    finally:
        os.close(descriptor)
