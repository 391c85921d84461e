# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of earlier recovery copies when the same document is saved once more."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..recovery_store import RecoveryStore


class DocumentCopies:
    """The recovery copies that this Blender has made of one document, from its opening on."""

    def __init__(self) -> None:
        self._safe: list[Path] = []
        self._doubtful: list[Path] = []

    def superseded(self, store: RecoveryStore, *doubtful: Path, by: Path | None = None) -> None:
        """The work is safe in a newer copy, or in its own place (None).

        Nobody needs what is in doubt any more; an older copy stays, but nobody waits for it.
        """
        for copy in (*self._doubtful, *doubtful):
            _give_back(store, copy)
        for copy in self._safe:
            if (record := store.find(copy)) is not None:
                with contextlib.suppress(OSError):
                    store.mark_restored(record)
        self._safe = [] if by is None else [by]
        self._doubtful = []

    def in_doubt(self, store: RecoveryStore, doubtful: Iterable[Path]) -> None:
        """Nothing is safe but what was safe before. One newest copy in doubt is enough."""
        copies = [*doubtful, *self._doubtful]
        for copy in copies[1:]:
            _give_back(store, copy)
        self._doubtful = copies[:1]


def _give_back(store: RecoveryStore, copy: Path) -> None:
    with contextlib.suppress(OSError):
        store.give_back(copy)
