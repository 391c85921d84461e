# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender says it saved: is it there, new, whole, and on the disk?"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SaveError
from ..steps import flush, flush_folder, optional
from .hashing import Hashing
from .version import version_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .version import Version

# Plain, Zstandard and (before 3.0) gzip.
PLAIN, *COMPRESSED = MAGIC = (b"BLENDER", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")

_CHUNK = 4 << 20
_SMALL_CHUNK = 1 << 20
# Bytes. Less is read twice in a moment.
_WORTH_HASHING = 8 << 20

# What Blender writes last: the end of its blocks or, of a compressed file, the table of its parts.
_END = b"ENDB"
_END_COMPRESSED = b"\xb1\xea\x92\x8f"
_END_WITHIN = 32


class Digest(NamedTuple):
    """Of a file as it was read back from the disk."""

    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex."""
    seconds: float
    """How long it took."""


class _ReadBack(NamedTuple):
    start: bytes
    """The first bytes."""
    read: int
    """How many there were."""
    size: int
    """How many there should be."""
    sha256: str | None


def verify(
    path: Path, before: Version | None, *, wanted: Callable[[], bool] = lambda: True
) -> Digest | None:
    """What was read back, if it could be hashed.

    before: the version that the save was to replace. wanted: asked again and again; once nobody
    waits for it any more, it is broken off. Raises SaveError, also then.

    Not by the clock, which may have been set back: a new version differs.
    """
    begun = time.monotonic()
    if before is not None and version_of(path) == before:
        raise SaveError(f"{path}: the file has not changed")
    try:
        found = _read_back(path, wanted)
        flush_folder(path.parent)
    except OSError as error:
        raise SaveError(f"{path}: {error.strerror or error}") from error
    if not found.size:
        raise SaveError(f"{path}: the file is empty")
    if not found.start.startswith(MAGIC):
        raise SaveError(f"{path}: not a Blender file")
    if found.read != found.size:
        raise SaveError(f"{path}: {found.read} of its {found.size} bytes can be read back")
    if found.sha256 is None:
        return None
    return Digest(found.size, found.sha256, time.monotonic() - begun)


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


def ends_as_written(path: Path) -> bool:
    """Whether a Blender file has what is written last."""
    try:
        with path.open("rb") as file:
            compressed = file.read(len(PLAIN)) != PLAIN
            file.seek(-min(_END_WITHIN, os.fstat(file.fileno()).st_size), os.SEEK_END)
            end = file.read()
    except OSError:
        return False
    return end.endswith(_END_COMPRESSED) if compressed else _END in end


def _read_back(path: Path, wanted: Callable[[], bool]) -> _ReadBack:
    with path.open("rb", buffering=0) as file:
        descriptor = file.fileno()
        flush(descriptor, path)
        # Else it would come from memory, which proves nothing.
        # Not every system has such a thing, macOS among them.
        if hasattr(os, "posix_fadvise"):
            with optional("it may be read back from memory", path):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        size = os.fstat(descriptor).st_size
        start, read = b"", 0
        # Small ones are hashed by the host.
        hashing = Hashing() if size >= _WORTH_HASHING else None
        chunk = _CHUNK if hashing is not None else _SMALL_CHUNK
        # Two: one is hashed while the other is filled.
        for buffer in itertools.cycle((bytearray(chunk), bytearray(chunk))):
            if not wanted():
                raise SaveError(f"{path}: reading it back was broken off")
            count = file.readinto(buffer)
            if not count:
                break
            start = start or bytes(buffer[: len(PLAIN)])
            read += count
            if hashing is not None:
                hashing.update(memoryview(buffer)[:count])
        sha256 = None if hashing is None else hashing.hexdigest()
        return _ReadBack(start, read, os.fstat(descriptor).st_size, sha256)
