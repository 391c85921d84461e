# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon to look again for what the server has sent: soon while it and this Blender talk."""

from __future__ import annotations

# Seconds of silence up to which a pace is kept, and that pace in seconds between two looks.
_TALKING = (5.0, 0.01)
_PAUSING = (30.0, 0.1)
_IDLE = 1.0


def pace(silence: float) -> float:
    """Seconds until the next look. silence: seconds since either has said something."""
    for kept, seconds in (_TALKING, _PAUSING):
        if silence < kept:
            return seconds
    return _IDLE
