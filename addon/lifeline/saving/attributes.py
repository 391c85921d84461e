# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a file is, and who may use it: Blender writes a new one, which is whoever saved it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from ..steps import optional

if TYPE_CHECKING:
    from pathlib import Path

_ACL = "system.posix_acl_access"
# Not those of a security module, which sees to them itself.
_KEPT = ("user.", "system.")


class Attributes(NamedTuple):
    """Of one file."""

    owner: int
    group: int
    mode: int
    extended: dict[str, bytes]
    """Access control lists, and what users have noted."""


def attributes_of(path: Path) -> Attributes | None:
    """None: it cannot be looked at."""
    with suppress(OSError):
        return _read(os.lstat(path), path)
    return None


def give(path: Path, wanted: Attributes) -> None:
    """Give them to a file of ours, each if the system allows it."""
    with optional("its owner and permissions are not as they were", path):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _give(descriptor, path, wanted)
        finally:
            os.close(descriptor)


def _read(found: os.stat_result, file: Path | int) -> Attributes:
    extended = {}
    # Some file systems have none, and some systems no such calls.
    with suppress(OSError, AttributeError):
        for name in os.listxattr(file):
            if name.startswith(_KEPT):
                extended[name] = os.getxattr(file, name)
    return Attributes(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), extended)


def _give(descriptor: int, path: Path, wanted: Attributes) -> None:
    found = _read(os.fstat(descriptor), descriptor)
    if found == wanted:
        return
    mode, extended = wanted.mode, dict(wanted.extended)
    if found.group != wanted.group:
        with optional("it has another group than before", path):
            os.fchown(descriptor, -1, wanted.group)
    if os.fstat(descriptor).st_gid != wanted.group:
        # What one group may do is not for another one.
        mode = mode & ~stat.S_IRWXG | (mode & stat.S_IRWXO) << 3
        extended.pop(_ACL, None)
    for name, value in extended.items():
        if found.extended.get(name) != value:
            with optional(f"it has lost its {name}", path):
                os.setxattr(descriptor, name, value)
    if _ACL in found.extended and _ACL not in extended:
        with optional("it has the access control list of its folder", path):
            os.removexattr(descriptor, _ACL)
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        with optional("it has other permissions than before", path):
            os.fchmod(descriptor, mode)
    # At last: who has given a file away may not be allowed to do the rest.
    if found.owner != wanted.owner:
        with optional("it has another owner than before", path):
            os.fchown(descriptor, wanted.owner, -1)
