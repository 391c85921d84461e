# SPDX-License-Identifier: GPL-3.0-or-later
"""One save by Blender, with a reason if it fails."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SaveError
from ..wording import one_line
from .verification import ends_as_written, verify
from .version import version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .verification import Digest

# Bytes. With less, a full disk is the likely reason, which Blender does not name.
_SCARCE = 256_000_000


class Written(NamedTuple):
    """What was found on the disk after a save."""

    digest: Digest | None
    report: str
    """What Blender reported as an error though the file was written; "" if nothing."""


def write(path: Path, operator: Callable[[], Any]) -> Written:
    """Have Blender save to `path`, and verify that it did. Raises SaveError."""
    before = version_of(path)
    report = write_unverified(path, operator)
    return Written(verify(path, before), report)


def write_unverified(path: Path, operator: Callable[[], Any]) -> str:
    """Have Blender save to `path`. Gives `Written.report`.

    Raises SaveError if it says that it did not, and it looks like that.
    """
    before = version_of(path)
    try:
        result = operator()
    except RuntimeError as error:
        # A report of anything amiss raises: of a texture that is gone and cannot be packed, too.
        if version_of(path) in (None, before) or not ends_as_written(path):
            raise SaveError(f"{path}: {one_line(error)}{_scarcity(path)}") from error
        return one_line(error)
    if "FINISHED" not in result:
        raise SaveError(f"{path}: Blender gave up saving")
    return ""


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
