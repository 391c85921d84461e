# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs painted images into the file. A texture's own file is never written."""

from __future__ import annotations

import contextlib
import os
from array import array
from typing import TYPE_CHECKING, Any

import bpy

from ..log import about, logger
from ..wording import one_line, utf8

if TYPE_CHECKING:
    from collections.abc import Iterator

# Made anew with each render.
_MADE_BY_BLENDER = ("RENDER_RESULT", "COMPOSITING")


class Images:
    """The unsaved images of the open file."""

    def __init__(self) -> None:
        self._stand_ins: list[Any] = []
        self._unused: list[Any] = []

    def pack(self) -> Iterator[str]:
        """Pack each; yields a sentence for one whose pixels will not be in the file."""
        for image in _unsaved():
            try:
                _pack(image)
                if image.library is not None:
                    self._stand_in_for(image)
                elif not image.users:
                    self._keep(image)
            except Exception as error:  # one image must not cost the rest of the work
                yield f"the unsaved pixels of image {image.name}: {one_line(error)}"
            else:
                name = utf8(image.name)
                logger.info(
                    "Packed into the file: unsaved image %s",
                    name,
                    extra=about("image-packed", image=name),
                )

    def stand_in(self) -> Iterator[str]:
        """Have a packed copy of each; yields a sentence for one whose pixels will not be there."""
        for image in _unsaved():
            try:
                self._stand_ins.append(_packed_copy(image))
            except Exception as error:  # as above
                yield f"the unsaved pixels of image {image.name}: {one_line(error)}"

    def _stand_in_for(self, linked: Any) -> None:
        """What is linked from another file is not saved with this one, but a copy is."""
        copy = linked.copy()
        copy.use_fake_user = True
        self._stand_ins.append(copy)

    def _keep(self, unused: Any) -> None:
        """What nothing uses is not saved: a person may have painted first, and use it next."""
        unused.use_fake_user = True
        self._unused.append(unused)

    def restore(self) -> None:
        """The save is over."""
        for image in self._unused:
            with contextlib.suppress(ReferenceError, RuntimeError):
                image.use_fake_user = False
        self._unused.clear()
        for copy in self._stand_ins:
            with contextlib.suppress(ReferenceError, RuntimeError):
                bpy.data.images.remove(copy)
        self._stand_ins.clear()


def _unsaved() -> list[Any]:
    return [
        image for image in bpy.data.images if image.is_dirty and image.type not in _MADE_BY_BLENDER
    ]


def _packed_copy(image: Any) -> Any:
    """Of its pixels as they are; the image itself is left alone. Raises RuntimeError, OSError."""
    if image.source == "TILED":
        raise RuntimeError("it has tiles")
    width, height = image.size
    copy = bpy.data.images.new(
        f"{image.name} (unsaved)", width, height, alpha=True, float_buffer=image.is_float
    )
    try:
        copy.colorspace_settings.name = image.colorspace_settings.name
        copy.alpha_mode = image.alpha_mode
        pixels = array("f", bytes(4 * len(image.pixels)))
        image.pixels.foreach_get(pixels)
        copy.pixels.foreach_set(pixels)
        copy.use_fake_user = True
        _pack(copy)
    except BaseException:
        bpy.data.images.remove(copy)
        raise
    return copy


def _pack(image: Any) -> None:
    """Raises RuntimeError or OSError."""
    try:
        if image.source == "TILED":
            _pack_tiles(image)
        else:
            image.pack()
    except RuntimeError:
        # A report of anything amiss raises.
        if image.is_dirty:
            raise
    if image.is_dirty or not image.packed_files:
        raise RuntimeError("Blender does not pack it")
    # Blender packs float pixels as they are in memory, multiplied by alpha, and without this
    # multiplies them again when it opens the file.
    if image.is_float and image.alpha_mode == "STRAIGHT":
        image.alpha_mode = "PREMUL"


def _pack_tiles(image: Any) -> None:
    """By way of files in a folder that goes with this Blender.

    A tile that was never saved counts as generated: packed as it is, it would come back empty.
    """
    import tempfile  # it brings much along, and hardly any work has tiles

    path, file_format = image.filepath_raw, image.file_format
    suffix, lossless = (".exr", "OPEN_EXR") if image.is_float else (".png", "PNG")
    with tempfile.TemporaryDirectory(dir=bpy.app.tempdir) as folder:
        try:
            image.filepath_raw = os.path.join(folder, f"tile.<UDIM>{suffix}")
            image.file_format = lossless
            image.save()
            image.pack()
        finally:
            image.filepath_raw = path
            image.file_format = file_format
