# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves the open file whatever stands in the way, and believes only what it then finds on the disk.

For the main thread only.
"""

from .changes import ChangeWatch
from .early_copy import early_copy
from .fallback import Saved, save
from .hashing import prepare
from .open_file import open_file
from .renders import renders
from .unsent import unsent

__all__ = [
    "ChangeWatch",
    "Saved",
    "early_copy",
    "open_file",
    "prepare",
    "renders",
    "save",
    "unsent",
]
