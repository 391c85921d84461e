# SPDX-License-Identifier: GPL-3.0-or-later
"""What unsaved work there is, in words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..recovery_store import CONNECTED, UNSENT
from ..words import marked
from ..words import translated as _

if TYPE_CHECKING:
    from ..recovery_store import Record

_CAUSES = {
    CONNECTED: marked("Blender was ended before it was saved."),
    UNSENT: marked("It was saved here, and reached no store."),
}


def headline(record: Record) -> str:
    """`chair.blend, 25 Nov 19:03`, by this computer's clock."""
    name = Path(record.original_path).name if record.original_path else _("Untitled")
    when = datetime.fromisoformat(record.saved_at).astimezone().strftime("%d %b %H:%M")
    return f"{name}, {when}"


def reason(record: Record) -> str:
    """A sentence."""
    return _(_CAUSES.get(record.cause, marked("The server was lost before it was saved.")))
