# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file held when it was opened or saved.

Its times and its number may change without it: somebody has touched it, or put a copy of the same
bytes into its place.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from .version import version_of

if TYPE_CHECKING:
    from .version import Version

_CHUNK = 1 << 20
# Bytes. What has no more is read in a millisecond or two.
_READ_AT_ONCE = 1 << 20


class Content:
    """Of one version of a file: whatever is on the disk in its place later, this stays."""

    def __init__(self, path: str, version: Version) -> None:
        self._path = path
        self._version = version
        self._begun = False
        self.digest = ""
        """Hexadecimal; "": not read yet, or it cannot be."""
        self.is_read = False
        """Or it cannot be."""

    def read(self, *, at_once: bool = False) -> None:
        """Read it, once; what is large on a thread of its own. at_once: only what is small."""
        if self._begun:
            return
        if self._version.size <= _READ_AT_ONCE:
            self._begun = True
            self._read()
        elif not at_once:
            self._begun = True
            thread = threading.Thread(target=self._read, name="cr8-content", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had
                self.is_read = True

    def is_in(self, found: Version) -> bool:
        """Whether the version that is on the disk now has the same bytes.

        Reads all of it, which takes less than the save that this is asked for. What is not known is
        not the same.
        """
        if not self.digest or found.size != self._version.size:
            return False
        return _digest(self._path, found) == self.digest

    def _read(self) -> None:
        self.digest = _digest(self._path, self._version)
        self.is_read = True


def digest_of(path: str | os.PathLike[str]) -> str:
    """Hexadecimal; "": it changes meanwhile, or cannot be read."""
    version = version_of(path)
    return "" if version is None else _digest(os.fspath(path), version)


def _digest(path: str, version: Version) -> str:
    """ "": it is another version before or after, or cannot be read."""
    with suppress(Exception):
        # Not `hashlib`, which brings OpenSSL with it.
        from _blake2 import blake2b

        digest = blake2b()
        if not _is_there(path, version):
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:
            buffer = memoryview(bytearray(min(_CHUNK, version.size + 1)))
            while count := file.readinto(buffer):
                digest.update(buffer[:count])
        if _is_there(path, version):
            return digest.hexdigest()
    return ""


def _is_there(path: str, version: Version) -> bool:
    """Numbers may change from look to look."""
    found = version_of(path)
    return found is not None and found[2:] == version[2:]
