# SPDX-License-Identifier: GPL-3.0-or-later
"""The language of the interface: Blender's own, chosen in its preferences.

The log is not translated: programs read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable


def marked(text: str) -> str:
    """A text that is translated where it is shown: what looks for texts finds it here."""
    return text


translated: Callable[[str], str] = bpy.app.translations.pgettext_iface
"""An English text in the person's language. With values in it: first this, then `format`."""
