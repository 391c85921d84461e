# SPDX-License-Identifier: GPL-3.0-or-later
"""Another policy, and what a policy would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ... import session, trials
from ...errors import AddonError
from ...trials import rehearsal
from ...wording import clock
from ...words import translated as _
from .requests import NO_OPTIONS, LineOperator

if TYPE_CHECKING:
    from ...connection.connection import Connection

_ANY_PHASE = ("connected", "reconnecting", "counting-down", "saving", "held")


class SwapPolicy(bpy.types.Operator):  # type: ignore[misc]
    """Let another policy decide when Blender saves and closes; a countdown goes on where it is"""

    bl_idname = "cr8.swap_policy"
    bl_label = "Swap Policy"
    bl_options = NO_OPTIONS

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Policy", description="A policy component", subtype="FILE_PATH"
    )
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default="*.wasm", options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.connection() is not None

    def invoke(self, context: Any, _event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[str]:
        live = session.connection()
        if live is None:
            return {"CANCELLED"}
        if not self.filepath:
            self.report({"ERROR"}, _("No policy was chosen: give the path of a .wasm file."))
            return {"CANCELLED"}
        # Loaded in the background; the log and the panel tell whether it was taken.
        live.swap_policy(bpy.path.abspath(self.filepath))
        return {"FINISHED"}


class RevertPolicy(LineOperator):
    """Go back to the policy that is set, or the built-in one; forget what the server has sent"""

    bl_idname = "cr8.revert_policy"
    bl_label = "Revert Policy"
    phases = _ANY_PHASE

    def act(self, live: Connection) -> None:
        live.revert_policy()


class ReloadPolicy(LineOperator):
    """Take the policy that is set now, as its file is now; without one, the built-in policy"""

    bl_idname = "cr8.reload_policy"
    bl_label = "Reload Policy"
    phases = _ANY_PHASE

    def act(self, live: Connection) -> None:
        policy = rehearsal.policy_file()
        if policy is None:
            live.revert_policy()
        else:
            live.swap_policy(policy)


class CheckPolicy(bpy.types.Operator):  # type: ignore[misc]
    """Look whether the policy that is set can be used; the preferences tell what was found"""

    bl_idname = "cr8.check_policy"
    bl_label = "Check Policy"
    bl_options = NO_OPTIONS

    def execute(self, _context: Any) -> set[str]:
        try:
            trials.check()
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        found = trials.checked()
        # With a window it is not there yet.
        if isinstance(found, AddonError):
            self.report({"ERROR"}, str(found))
        elif found is not None:
            self.report({"INFO"} if found.usable else {"ERROR"}, found.sentence)
        return {"FINISHED"}


class SimulateOutage(bpy.types.Operator):  # type: ignore[misc]
    """Show what would happen if the server were lost now; nothing is saved, and nothing closes"""

    bl_idname = "cr8.simulate_outage"
    bl_label = "Simulate an Outage"
    bl_options = NO_OPTIONS

    def execute(self, _context: Any) -> set[str]:
        try:
            trials.simulate()
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if bpy.app.background:
            self._tell()
        return {"FINISHED"}

    def invoke(self, context: Any, _event: Any) -> set[str]:
        done = self.execute(context)
        if done == {"FINISHED"} and context.area.type != "PREFERENCES":
            # That is where it is drawn.
            bpy.ops.cr8.show_preferences()
        return done

    def _tell(self) -> None:
        played = trials.rehearsed()
        if played is None or isinstance(played, AddonError):
            self.report({"ERROR"}, str(played))
            return
        for at, what in played.lines:
            self.report({"INFO"}, f"{clock(at)} {what}")
