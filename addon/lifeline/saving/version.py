# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of a file is on the disk."""

from __future__ import annotations

import os
from typing import NamedTuple


class Version(NamedTuple):
    """Blender replaces the file with each save, so each version has its own."""

    device: int
    inode: int
    """0 where it says nothing."""
    size: int
    modified: int
    """Nanoseconds since 1970."""


def version_of(path: str | os.PathLike[str]) -> Version | None:
    """None: no file is there, or it cannot be looked at. Of a link: the link's own."""
    try:
        found, again = os.lstat(path), os.lstat(path)
    except OSError:
        return None
    # Some file systems give a file another number at each look.
    inode = found.st_ino if found.st_ino == again.st_ino else 0
    return Version(found.st_dev, inode, found.st_size, found.st_mtime_ns)
