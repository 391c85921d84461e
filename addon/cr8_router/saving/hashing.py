# SPDX-License-Identifier: GPL-3.0-or-later
"""SHA-256 of a large file while it is read."""

from __future__ import annotations

from threading import Thread

# Bytes. Less is hashed sooner than a thread is started.
_WORTH_A_THREAD = 1 << 20


class Hashing:
    """Hashes what it is given on a thread of its own: a chunk at a time.

    Raises ImportError where Python has no hashes.
    """

    def __init__(self) -> None:
        # Only now: it brings OpenSSL with it.
        import hashlib

        # A checksum, also where a policy of the system forbids it for secrets.
        self._digest = hashlib.sha256(usedforsecurity=False)
        self._thread: Thread | None = None

    def update(self, chunk: memoryview) -> None:
        """Hash this one. The one before has been hashed then, and its buffer is free."""
        self._wait()
        if len(chunk) >= _WORTH_A_THREAD:
            thread = Thread(target=self._digest.update, args=(chunk,), daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had
                pass
            else:
                self._thread = thread
                return
        self._digest.update(chunk)

    def hexdigest(self) -> str:
        """Of all that it was given, lower-case hex."""
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
