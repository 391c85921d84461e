# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender asks a person before it writes over a file, and not when it is told to save.

With a dialog open it would wait for ever, so the answer is no: the work goes into a recovery copy.
"""

from __future__ import annotations

import bpy

from .open_file import open_file


def objection() -> str:
    """Why the open file is not to be overwritten; "": nothing speaks against it.

    Not once a person has saved it here: then they were asked, and have answered.
    """
    if open_file.saved_here:
        return ""
    written, ours = tuple(bpy.data.version), tuple(bpy.app.version_file)
    if written > ours:
        newer = ".".join(map(str, written))
        older = ".".join(map(str, ours))
        return (
            f"a newer Blender has saved it (its format is {newer}, this one's {older}), and this "
            "one would drop what it does not know: open the copy there, and compare the two"
        )
    # New in 5.0.
    if getattr(getattr(bpy.data, "colorspace", None), "is_missing_opencolorio_config", False):
        return (
            "its OpenColorIO configuration is missing here, and a save would change its colour "
            "spaces: open it where that configuration is"
        )
    return ""
