# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done about unsaved work that was found."""

from __future__ import annotations

from typing import Any

import bpy

from ... import session
from .requests import NO_OPTIONS


class OfferOperator(bpy.types.Operator):  # type: ignore[misc]
    """Does one thing to one offer."""

    bl_options = NO_OPTIONS

    copy: bpy.props.StringProperty(  # type: ignore[valid-type]
        options={"HIDDEN", "SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        recovery = session.recovery()
        return recovery is not None and bool(recovery.offers)

    def execute(self, _context: Any) -> set[str]:
        recovery = session.recovery()
        record = None if recovery is None else recovery.find(self.copy)  # the newest, if ""
        if recovery is None or record is None:
            return {"CANCELLED"}
        self.act(recovery, record)
        return {"FINISHED"}

    def act(self, recovery: Any, record: Any) -> None:
        raise NotImplementedError


class OpenRecovered(OfferOperator):
    """Open it; what is open now goes into a recovery copy first, if it has changed"""

    bl_idname = "cr8.open_recovered"
    bl_label = "Open Unsaved Work"

    def act(self, recovery: Any, record: Any) -> None:
        recovery.ask_to_open(record)


class DeclineRecovered(OfferOperator):
    """Do not offer it any more; the file stays in the recovery folder"""

    bl_idname = "cr8.decline_recovered"
    bl_label = "Not Needed"

    def act(self, recovery: Any, record: Any) -> None:
        recovery.decline(record)
