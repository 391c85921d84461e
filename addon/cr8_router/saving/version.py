# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version of a file is on the disk."""

from __future__ import annotations

import os
from typing import NamedTuple


class Version(NamedTuple):
    """Blender replaces the file with each save, so each version has its own."""

    device: int
    inode: int
    size: int
    modified: int
    """Nanoseconds since 1970."""


def version_of(path: str | os.PathLike[str]) -> Version | None:
    """None: no file is there, or it cannot be looked at. Of a link: the link's own."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return Version(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
