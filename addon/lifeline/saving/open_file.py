# SPDX-License-Identifier: GPL-3.0-or-later
"""What this Blender knows of the file that is open in it, and nobody else can tell."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from ..listeners import Listeners
from .content import Content
from .document_copies import DocumentCopies
from .version import Version, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OpenFile:
    """Listens to Blender between `attach` and `detach`."""

    def __init__(self) -> None:
        self.copies = DocumentCopies()
        self._path = ""
        self._known: Version | None = None
        self._content: Content | None = None
        self._by_cleanup = False
        self._before: Version | None = None
        self._copying = False
        self.opened_or_saved = 0
        """Grows with each."""
        self.saved_here = False
        """What is on the disk was written by this Blender, not only opened."""
        self._listeners = Listeners(self._make_handlers())

    def _make_handlers(self) -> dict[str, Callable[..., None]]:
        @persistent  # type: ignore[untyped-decorator]
        def opened(*_args: Any) -> None:
            self.copies = DocumentCopies()
            self._remember()

        @persistent  # type: ignore[untyped-decorator]
        def about_to_save(*_args: Any) -> None:
            self._before = version_of(self._path) if self._path else None

        @persistent  # type: ignore[untyped-decorator]
        def saved(*_args: Any) -> None:
            self._saved()

        return {"load_post": opened, "save_pre": about_to_save, "save_post": saved}

    def attach(self) -> None:
        """Listen."""
        self._listeners.attach()

    def detach(self) -> None:
        """Listen no more. What is known stays: a line that starts afresh needs it."""
        self._listeners.detach()

    def notice(self) -> None:
        """A file that was opened before anybody listened is taken for what is on the disk.

        Not part of `attach`: Blender does not tell what is open while add-ons are registered.
        """
        if bpy.data.filepath != self._path:
            self._remember()
        if self._content is not None:
            self._content.read()

    @property
    def content(self) -> str:
        """A digest of what the file held when it was opened or saved; "": not known, or not yet."""
        return "" if self._content is None else self._content.digest

    @property
    def content_is_read(self) -> bool:
        """Or cannot be."""
        return self._content is None or self._content.is_read

    def changed_by_others(self) -> bool:
        """Whether the file on the disk is no version that this Blender has opened or saved."""
        if bpy.data.filepath != self._path or self._known is None:
            return False
        found = version_of(self._path)
        if found is None or found == self._known:
            return False
        if self._content is None or not self._content.is_in(found):
            return True
        self._known = found
        return False

    def saved_by_cleanup(self) -> bool:
        """Whether the file on the disk was written by a clean-up (see `mark_cleanup`)."""
        return self._by_cleanup and version_of(bpy.data.filepath) == self._known

    def mark_cleanup(self) -> None:
        """What was saved last was saved by a clean-up, not by the file's user."""
        self._by_cleanup = True

    @contextmanager
    def copying(self) -> Iterator[None]:
        """What is saved meanwhile is a copy in another place."""
        self._copying = True
        try:
            yield
        finally:
            self._copying = False

    def _saved(self) -> None:
        # `save_post` comes after saving a copy, too, and only newer versions say of what. To take
        # another Blender's version for ours would be to overwrite it at the next save.
        if self._copying:
            return
        same_path = bpy.data.filepath == self._path
        if same_path and version_of(self._path) == self._before:
            return
        self._remember(saved_here=True)

    def _remember(self, *, saved_here: bool = False) -> None:
        self.opened_or_saved += 1
        self._path = path = bpy.data.filepath
        self._known = version_of(os.path.abspath(path)) if path else None
        self._content = None if self._known is None else Content(path, self._known)
        self._by_cleanup, self.saved_here = False, saved_here
        if self._content is not None:
            self._content.read(at_once=True)


open_file = OpenFile()
"""A Blender has one open file."""
