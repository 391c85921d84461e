# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages, by Blender's own means. One file for each language."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import bpy

from .. import native
from ..errors import NativeMissingError
from ..preferences import fields
from . import german

_OWNER = __name__

# Labels of operators are looked up apart from everything else.
_CONTEXTS = ("*", "Operator")


@cache
def _texts() -> dict[tuple[str, str], str]:
    return {(context, text): told for context in _CONTEXTS for text, told in german.TEXTS.items()}


@cache
def _descriptions() -> dict[tuple[str, str], str]:
    def translate(text: str) -> str:
        return german.TEXTS.get(text, text)

    return {
        ("*", fields.described(info)): fields.described(info, translate)
        for info in native.settings_table()
    }


def prepare() -> None:
    """Make what registering needs; on whatever thread. Raises NativeMissingError."""
    _texts()
    _descriptions()


def register() -> None:
    """Let Blender know the texts."""
    texts = _texts()
    with suppress(NativeMissingError):  # without it there are no fields either
        texts = texts | _descriptions()
    # German is named with its country, or by itself, depending on the version.
    bpy.app.translations.register(_OWNER, {"de_DE": texts, "de": texts})


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(_OWNER)
