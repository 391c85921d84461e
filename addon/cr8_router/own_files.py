# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in folders that other users of this machine may write to.

Whatever lies there may be a link, a pipe, or somebody else's: each is opened without following or
waiting, and looked at as it is open. Knows nothing of Blender.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

# Neither a link nor the other end of a pipe.
_AS_IT_IS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class NotOursError(OSError):
    """Somebody else may have put it there."""


def read(path: Path, limit: int) -> bytes:
    """All of a file of this user's. limit: bytes. Raises OSError, NotOursError."""
    descriptor = os.open(path, os.O_RDONLY | _AS_IT_IS)
    with open(descriptor, "rb") as file:
        _check(os.fstat(descriptor), path)
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotOursError(f"{path}: it has more than {limit} bytes")
    return content


def replace(path: Path, content: bytes) -> None:
    """Put a file there, whole, on the disk, for this user alone. Raises OSError.

    Nobody can foretell the draft's name, and put a link there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _AS_IT_IS, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def make_private(path: Path) -> None:
    """Nobody else may read or write a file. Raises OSError, NotOursError."""
    descriptor = os.open(path, os.O_RDONLY | _AS_IT_IS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotOursError(f"{path}: it is no file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def is_ours(path: Path) -> bool:
    """Whether it is a file of this user's, which nobody else may write."""
    try:
        _check(os.lstat(path), path)
    except OSError:
        return False
    return True


def others_may_write(folder: Path) -> bool:
    """Whether somebody else can put something into a folder. Raises OSError."""
    found = os.stat(folder)
    return found.st_uid not in (0, os.geteuid()) or bool(found.st_mode & _others(found))


def is_out_of_reach(folder: Path) -> bool:
    """Whether nobody else can put another folder, or file, in the place of one in it.

    In a folder like /tmp, whose sticky bit is set, others cannot touch what is not theirs.
    """
    real = Path(os.path.realpath(folder))
    try:
        return all(_is_kept(os.stat(each)) for each in (real, *real.parents))
    except OSError:
        return False


def _is_kept(found: os.stat_result) -> bool:
    if found.st_uid not in (0, os.geteuid()):
        return False
    return not found.st_mode & _others(found) or bool(found.st_mode & stat.S_ISVTX)


def _others(found: os.stat_result) -> int:
    """Permissions by which others may write. A group with the user's own number is the user's."""
    return stat.S_IWOTH if found.st_gid == os.geteuid() else _OTHERS_WRITE


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotOursError(f"{path}: it is no file")
    if found.st_uid != os.geteuid():
        raise NotOursError(f"{path}: it belongs to somebody else")
    if found.st_mode & _OTHERS_WRITE:
        raise NotOursError(f"{path}: others may write it")
    if found.st_nlink != 1:
        raise NotOursError(f"{path}: it has another name, too")
