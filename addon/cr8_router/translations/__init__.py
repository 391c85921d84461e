# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in other languages, by Blender's own means. One file for each language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import native
from ..errors import NativeMissingError
from ..preferences import fields
from . import german

if TYPE_CHECKING:
    from collections.abc import Mapping

_OWNER = __name__

# Labels of operators are looked up apart from everything else.
_CONTEXTS = ("*", "Operator")


def _for_blender(texts: Mapping[str, str]) -> dict[tuple[str, str], str]:
    entries = {(context, text): told for context in _CONTEXTS for text, told in texts.items()}
    try:
        table = native.settings_table()
    except NativeMissingError:
        return entries  # there are no fields either

    def translate(text: str) -> str:
        return texts.get(text, text)

    for info in table:
        entries["*", fields.described(info)] = fields.described(info, translate)
    return entries


def register() -> None:
    """Let Blender know the texts."""
    texts = _for_blender(german.TEXTS)
    # German is named with its country, or by itself, depending on the version.
    bpy.app.translations.register(_OWNER, {"de_DE": texts, "de": texts})


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(_OWNER)
