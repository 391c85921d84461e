# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that Blender calls when something happens, added and removed together.

They must be closures with `@persistent`, because Blender keeps only functions over the opening of
a file, and take `*args`, because what they are given differs by version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Listeners:
    """One function for each name in `bpy.app.handlers`."""

    def __init__(self, functions: Mapping[str, Callable[..., None]]) -> None:
        self._functions = functions

    def attach(self) -> None:
        """Listen to Blender. Nothing for those that listen: scripts clear these lists."""
        for name, function in self._functions.items():
            listeners = getattr(bpy.app.handlers, name)
            if function not in listeners:
                listeners.append(function)

    def detach(self) -> None:
        """Listen no more; nothing if nobody listens."""
        for name, function in self._functions.items():
            listeners = getattr(bpy.app.handlers, name)
            if function in listeners:
                listeners.remove(function)
