# SPDX-License-Identifier: GPL-3.0-or-later
"""A text in as many labels as a region's width asks for: Blender cuts a longer one off."""

from __future__ import annotations

import textwrap
from typing import Any

# Pixels of a letter at normal size, rather more than fewer.
_LETTER = 6.4
# Letters that the margins take, and an icon.
_MARGIN = 6
_ICON = 4
_NARROWEST = 20


def paragraph(context: Any, layout: Any, text: str, *, icon: str = "NONE") -> None:
    """icon: before the first line; the others are set in below it."""
    scale = context.preferences.system.ui_scale
    letters = int(context.region.width / (_LETTER * scale)) - _MARGIN
    rest = "NONE"
    if icon != "NONE":
        letters -= _ICON
        rest = "BLANK1"
    for number, line in enumerate(textwrap.wrap(text, max(_NARROWEST, letters))):
        layout.label(text=line, icon=icon if number == 0 else rest)
