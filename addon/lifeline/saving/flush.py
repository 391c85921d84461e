# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings into the file what Blender keeps beside it while a person works.

Edit and sculpt modes work on data of their own, and painted pixels live in a cache. Text blocks
need nothing: their lines are saved even if they belong to a file on the disk.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING

import bpy

from ..log import about, logger
from ..wording import one_line, utf8
from .images import Images
from .temporary_files import pack_temporary_files

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def flushed(*, packing: bool = True) -> Iterator[tuple[str, ...]]:
    """For the time of a save; gives what the file will lack all the same, a sentence each.

    Nobody's mode changes, and no file is written. packing: False: unsaved images stay as they are,
    and have stand-ins in what is saved.
    """
    images = Images()
    unsaved = (*images.pack(), *pack_temporary_files()) if packing else images.stand_in()
    lacking = tuple(utf8(reason) for reason in (*_flush_modes(), *unsaved))
    for reason in lacking:
        logger.warning(
            "Not in the saved file: %s", reason, extra=about("left-out", reason=str(reason))
        )
    if packing:
        with suppress(Exception):  # it is only told
            _tell_unused()
    try:
        yield lacking
    finally:
        images.restore()


# What people make first and use later. Of objects, what nothing uses is what they have deleted.
_MADE_FIRST = ("actions", "materials", "node_groups", "textures", "worlds")
_NAMED = 20


def _tell_unused() -> None:
    """Where a person has not said (by a fake user) that it is to stay, Blender itself drops it."""
    found = (
        utf8(f"{one.bl_rna.name} {one.name}")
        for kind in _MADE_FIRST
        for one in getattr(bpy.data, kind)
        if not one.users and one.library is None
    )
    if names := list(islice(found, _NAMED)):
        logger.info(
            "Nothing uses these, so Blender does not save them: %s",
            ", ".join(names),
            extra=about("unused", names=names),
        )


def _flush_modes() -> Iterator[str]:
    """Blender 3.4 does the same when it saves; nothing says that every version does."""
    # Whatever is raised here, the rest of the work can be saved.
    for one in bpy.data.objects:
        if one.mode == "EDIT":
            try:
                one.update_from_editmode()
            except Exception as error:
                yield f"perhaps the newest edits of {one.name}: {one_line(error)}"
    try:
        bpy.ops.ed.flush_edits()  # sculpt mode too
    except Exception as error:
        yield f"perhaps the newest edits of a mode: {one_line(error)}"
