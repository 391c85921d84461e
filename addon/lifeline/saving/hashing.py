# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA-256 of a large file while it is read. Whatever is amiss with it, no save fails over it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Bytes. Less is hashed sooner than a thread is started.
_WORTH_A_THREAD = 1 << 20

_sha256: Callable[..., Any] | None = None


def prepare() -> threading.Thread | None:
    """Import Python's hashes; gives the thread that does it, if one was needed and to be had.

    They bring OpenSSL with them, so not before they are needed. And not at the save itself: where
    Python's own files are gone, or hang, that would fail or hang over them.
    """
    if _sha256 is not None:
        return None
    thread = threading.Thread(target=_import, name="cr8-hashes", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread is to be had
        return None
    return thread


def _import() -> None:
    global _sha256
    with suppress(Exception):
        import hashlib

        # A checksum, also where a policy of the system forbids it for secrets.
        hashlib.sha256(usedforsecurity=False)
        _sha256 = hashlib.sha256


class Hashing:
    """Hashes what it is given on a thread of its own: a chunk at a time. Never raises."""

    def __init__(self) -> None:
        self._digest: Any = None
        with suppress(Exception):
            self._digest = None if _sha256 is None else _sha256(usedforsecurity=False)
        self._given = self._hashed = 0
        self._thread: threading.Thread | None = None

    def update(self, chunk: memoryview) -> None:
        """Hash this one. The one before is done with then, and its buffer free."""
        self._wait()
        if self._digest is None:
            return
        self._given += len(chunk)
        if len(chunk) >= _WORTH_A_THREAD:
            thread = threading.Thread(target=self._hash, args=(chunk,), daemon=True)
            with suppress(RuntimeError):  # no thread is to be had
                thread.start()
                self._thread = thread
                return
        self._hash(chunk)

    def hexdigest(self) -> str | None:
        """Of all that it was given, lower-case hex; None: it could not be hashed."""
        self._wait()
        if self._digest is None or self._hashed != self._given:
            return None
        return str(self._digest.hexdigest())

    def _hash(self, chunk: memoryview) -> None:
        # What is not counted was not hashed.
        with suppress(Exception):
            self._digest.update(chunk)
            self._hashed += len(chunk)

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
