# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages, by Blender's own means. One file for each language."""

from __future__ import annotations

import bpy

from . import german

# Blender has named it by its country, and by the language alone.
_LANGUAGES = {"de_DE": german.TEXTS, "de": german.TEXTS}
_OWNER = __name__


def register() -> None:
    """Let Blender know the texts."""
    bpy.app.translations.register(_OWNER, _LANGUAGES)


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(_OWNER)
