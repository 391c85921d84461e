# SPDX-License-Identifier: GPL-3.0-or-later
"""One Blender is saved and closed by one Lifeline, however many add-ons bring one along.

Two would each close Blender over a server of its own, beside the living server of the other.
Sharing one would not help: it has one server, and one answer to each of that server's commands.
Each add-on may have a copy of this package, of another version: so what all of them
look at is in none of them.
"""

from __future__ import annotations

import sys
from typing import Any

from .errors import TakenError

# Of `sys`: whose it is, and what to call it.
_PLACE = "_lifeline_of_this_blender"


def take(holder: Any, name: str) -> None:
    """From now on `holder` is the one. Raises TakenError."""
    other, called = getattr(sys, _PLACE, (None, ""))
    if other is not None and other is not holder:
        raise TakenError(
            f"Lifeline runs already in this Blender, in {called}. There can be one, because it "
            f"saves and closes Blender when its server is lost: disable {called}, or {name}."
        )
    setattr(sys, _PLACE, (holder, name))


def is_taken_by(holder: Any) -> bool:
    """Whether this one is it."""
    return getattr(sys, _PLACE, (None, ""))[0] is holder


def give_back(holder: Any) -> None:
    """Nothing if it is somebody else's."""
    if is_taken_by(holder):
        delattr(sys, _PLACE)
