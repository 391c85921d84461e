# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person can do about the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .. import session

if TYPE_CHECKING:
    from ..ws.websocket_handler import WebSocketHandler

_OUTAGE = ("reconnecting", "counting-down", "saving", "held")
# In the journal: a button, or a script that calls the operator.
_BY = "operator"
_DONE = {"FINISHED"}
_NOTHING = {"CANCELLED"}


def _phase_is_in(phases: tuple[str, ...]) -> bool:
    live = session.handler()
    return live is not None and live.status()["phase"] in phases


class _LineOperator(bpy.types.Operator):  # type: ignore[misc]
    """Does one thing to the live line."""

    bl_options = {"INTERNAL"}  # noqa: RUF012
    phases: tuple[str, ...] = _OUTAGE

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return _phase_is_in(cls.phases)

    def execute(self, _context: Any) -> set[str]:
        live = session.handler()
        if live is None:
            return _NOTHING
        self.act(live)
        return _DONE

    def act(self, live: WebSocketHandler) -> None:
        raise NotImplementedError


class KeepOpen(_LineOperator):
    """Keep Blender open without its server, until it is released"""

    bl_idname = "cr8.keep_open"
    bl_label = "Keep Open"
    phases = ("reconnecting", "counting-down", "saving")

    def act(self, live: WebSocketHandler) -> None:
        live.hold(by=_BY)


class Extend(_LineOperator):
    """Give the server more time before Blender saves and closes; a script may say how much"""

    bl_idname = "cr8.extend"
    bl_label = "Extend 5 Minutes"
    phases = ("reconnecting", "counting-down")

    seconds: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Seconds", description="How much to add", default=300.0, min=1.0, max=86400.0
    )

    def act(self, live: WebSocketHandler) -> None:
        live.extend(self.seconds, by=_BY)


class Release(_LineOperator):
    """Keep Blender open no longer: the countdown starts afresh"""

    bl_idname = "cr8.release"
    bl_label = "Release"
    phases = ("held",)

    def act(self, live: WebSocketHandler) -> None:
        live.release(by=_BY)


class SaveAndClose(_LineOperator):
    """Save the file and close Blender now, without waiting for the server"""

    bl_idname = "cr8.save_and_close"
    bl_label = "Save and Close"
    phases = ("reconnecting", "counting-down", "held")

    def act(self, live: WebSocketHandler) -> None:
        live.close_now(by=_BY)


class SwapPolicy(bpy.types.Operator):  # type: ignore[misc]
    """Let another policy decide when Blender saves and closes; a countdown goes on where it is"""

    bl_idname = "cr8.swap_policy"
    bl_label = "Swap Policy"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Policy", description="A policy component", subtype="FILE_PATH"
    )
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default="*.wasm", options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.handler() is not None

    def invoke(self, context: Any, _event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[str]:
        live = session.handler()
        if live is None:
            return _NOTHING
        if not self.filepath:
            self.report({"ERROR"}, "No policy was chosen: give the path of a .wasm file")
            return _NOTHING
        # Loaded in the background; the log and the panel tell whether it was taken.
        live.swap_policy(bpy.path.abspath(self.filepath))
        return _DONE


class RevertPolicy(_LineOperator):
    """Go back to the policy that is set, or the built-in one; forget what the server has sent"""

    bl_idname = "cr8.revert_policy"
    bl_label = "Revert Policy"
    phases = ("connected", "reconnecting", "counting-down", "saving", "held")

    def act(self, live: WebSocketHandler) -> None:
        live.revert_policy()


class Connect(bpy.types.Operator):  # type: ignore[misc]
    """Connect to the server with the settings as they are now"""

    bl_idname = "cr8.connect"
    bl_label = "Connect"
    bl_options = {"INTERNAL"}  # noqa: RUF012

    def execute(self, _context: Any) -> set[str]:
        session.start()
        if session.handler() is None:
            self.report({"WARNING"}, session.idle_reason())
            return _NOTHING
        return _DONE


OPERATORS = (
    KeepOpen,
    Extend,
    Release,
    SaveAndClose,
    SwapPolicy,
    RevertPolicy,
    Connect,
)
