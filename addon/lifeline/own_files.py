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

from .steps import flush, flush_folder, optional, skipped

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
            flush(descriptor, path)
        try:
            draft.replace(path)
        except OSError as error:
            # Some mounts of object stores rename nothing, or not over what is there.
            _write_over(path, content)
            skipped("it was written where it lies", path, error)
            with suppress(OSError):
                draft.unlink()
        flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _write_over(path: Path, content: bytes) -> None:
    """Into a file of this user's. Raises OSError, NotOursError."""
    descriptor = os.open(path, os.O_WRONLY | _AS_IT_IS)
    with open(descriptor, "wb") as file:
        _check(os.fstat(descriptor), path)
        file.truncate()
        file.write(content)
        file.flush()
        flush(descriptor, path)


def make_private(path: Path) -> None:
    """Nobody else may read or write a file, as far as the file system has such rules.

    Raises OSError, NotOursError.
    """
    descriptor = os.open(path, os.O_RDONLY | _AS_IT_IS)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NotOursError(f"{path}: it is no file")
        if stat.S_IMODE(found.st_mode) != 0o600:
            with optional("its permissions cannot be set", path):
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
    if fault := strangeness(found, path, folder=False):
        raise NotOursError(f"{path}: it {fault}")
    # 0: the file system counts none.
    if found.st_nlink > 1:
        raise NotOursError(f"{path}: it has another name, too")


def strangeness(found: os.stat_result, path: Path, *, folder: bool) -> str:
    """What of a file, or folder, says that it may be somebody else's; "" if nothing does."""
    theirs, open_to_all = found.st_uid != os.geteuid(), found.st_mode & _OTHERS_WRITE
    if not (theirs or open_to_all):
        return ""
    made = _made_beside(path, folder=folder)
    if theirs and (made is None or made.st_uid != found.st_uid):
        return "belongs to somebody else"
    if open_to_all and (made is None or open_to_all & ~made.st_mode):
        return "can be written by others"
    return ""


def _made_beside(path: Path, *, folder: bool) -> os.stat_result | None:
    """How a file of ours, for us alone, looks there; None: we cannot make any.

    On a mount such as CIFS or FAT all files have one owner and one mode, whoever has made them:
    there, these say nothing.
    """
    probe = path.with_name(f".cr8-{secrets.token_hex(8)}")
    try:
        if folder:
            probe.mkdir(0o700)
        else:
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _AS_IT_IS, 0o600))
        try:
            return os.lstat(probe)
        finally:
            probe.rmdir() if folder else probe.unlink()
    except OSError:
        return None
