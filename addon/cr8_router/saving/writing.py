# SPDX-License-Identifier: GPL-3.0-or-later
"""One save by Blender, with a reason if it fails."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import SaveError
from ..wording import one_line
from .verification import verify
from .version import version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .verification import Digest

# Bytes. With less, a full disk is the likely reason, which Blender does not name.
_SCARCE = 256_000_000


def write(path: Path, operator: Callable[[], Any]) -> Digest | None:
    """Have Blender save to `path`, and verify that it did. Raises SaveError."""
    before = version_of(path)
    write_unverified(path, operator)
    return verify(path, before)


def write_unverified(path: Path, operator: Callable[[], Any]) -> None:
    """Have Blender save to `path`. Raises SaveError if it says that it did not."""
    try:
        result = operator()
    except RuntimeError as error:
        raise SaveError(f"{path}: {one_line(error)}{_scarcity(path)}") from error
    if "FINISHED" not in result:
        raise SaveError(f"{path}: Blender gave up saving")


def _scarcity(path: Path) -> str:
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return ""
    free = found.f_bavail * found.f_frsize
    return f" ({free / 1e6:.1f} MB are free there)" if free < _SCARCE else ""


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """For the whole process."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
