# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender says it saved: is it there, new, whole, and on the disk?"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ..errors import SaveError
from .version import version_of

if TYPE_CHECKING:
    from pathlib import Path

    from .version import Version

# Plain, Zstandard and (before 3.0) gzip.
PLAIN, *COMPRESSED = MAGIC = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")

_CHUNK = 1 << 20

# A file system that has no such thing as flushing.
_CANNOT_FLUSH = (errno.EINVAL, errno.ENOTSUP)


def verify(path: Path, before: Version | None) -> None:
    """before: the version that the save was to replace. Raises SaveError.

    Not by the clock, which may have been set back: a new version differs.
    """
    if before is not None and version_of(path) == before:
        raise SaveError(f"{path}: the file has not changed")
    try:
        start, read, size = _read_back(path)
        flush_folder(path.parent)
    except OSError as error:
        raise SaveError(f"{path}: {error.strerror or error}") from error
    if not size:
        raise SaveError(f"{path}: the file is empty")
    if not start.startswith(MAGIC):
        raise SaveError(f"{path}: not a Blender file")
    if read != size:
        raise SaveError(f"{path}: {read} of its {size} bytes can be read back")


def first_bytes(path: Path) -> bytes:
    """Enough for MAGIC; empty for what is no ordinary file, or cannot be read."""
    try:
        # To open a FIFO is to wait for its other end.
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(PLAIN))
    except OSError:
        pass
    return b""


def _read_back(path: Path) -> tuple[bytes, int, int]:
    """The first bytes, how many can be read, and how many there should be."""
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()
        flush(descriptor)
        # Else it would come from memory, which proves nothing.
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        start = file.read(len(PLAIN))
        read = len(start)
        chunk = bytearray(_CHUNK)
        while count := file.readinto(chunk):
            read += count
        return start, read, os.fstat(descriptor).st_size


def flush(descriptor: int) -> None:
    """Blender does not, and the machine may be taken away right after the quit."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise


def flush_folder(folder: Path) -> None:
    """A file is found again only if its name is on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)
