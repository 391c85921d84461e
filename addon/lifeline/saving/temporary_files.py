# SPDX-License-Identifier: GPL-3.0-or-later
"""What the open file refers to in Blender's temporary folder, which goes with Blender."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKABLE = ("images", "sounds", "fonts")
_OTHERS = ("movieclips", "libraries", "volumes", "cache_files")


def pack_temporary_files() -> Iterator[str]:
    """Pack each; yields a sentence for one that the saved file will miss."""
    for name in (*_PACKABLE, *_OTHERS):
        for one in getattr(bpy.data, name, ()):
            try:
                if one.library is None and not _packed(one) and _goes(one):
                    if name in _OTHERS:
                        raise RuntimeError("Blender cannot pack it")
                    one.pack()
            except Exception as error:
                yield f"{one.name} in Blender's temporary folder: {one_line(error)}"


def _packed(one: Any) -> bool:
    return bool(getattr(one, "packed_file", None) or getattr(one, "packed_files", None))


def goes_with_blender(path: Path) -> bool:
    """Blender deletes it when it closes."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(bpy.app.tempdir))


def _goes(one: Any) -> bool:
    """By its name first: what lies elsewhere may lie on a share that hangs."""
    path = os.path.abspath(bpy.path.abspath(one.filepath)) if one.filepath else ""
    folder = bpy.app.tempdir
    within = any(Path(path).is_relative_to(it) for it in (folder, os.path.realpath(folder)))
    return within and os.path.exists(path) and goes_with_blender(Path(path))
