# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps to find out what has happened."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import partial
from typing import Any

import bpy

from ... import background, options, session
from ...recovery import first_folder
from ...words import translated as _
from .requests import NO_OPTIONS

# Seconds that opening a folder may take.
_OPEN = 20.0


class ShowPreferences(bpy.types.Operator):  # type: ignore[misc]
    """Show the settings of the server connection"""

    bl_idname = "cr8.show_preferences"
    bl_label = "Server Preferences"
    bl_options = NO_OPTIONS

    @classmethod
    def poll(cls, context: Any) -> bool:
        # As from a script, without being listed.
        return options.current.addon in context.preferences.addons

    def execute(self, _context: Any) -> set[str]:
        shown: set[str] = bpy.ops.preferences.addon_show(module=options.current.addon)
        return shown


class OpenRecoveryFolder(bpy.types.Operator):  # type: ignore[misc]
    """Show the recovery copies in the system's file browser"""

    bl_idname = "cr8.open_recovery_folder"
    bl_label = "Open Recovery Folder"
    bl_options = NO_OPTIONS

    def execute(self, _context: Any) -> set[str]:
        folder = first_folder()
        if not os.path.isdir(folder):
            self.report(
                {"WARNING"}, _("There is no recovery copy yet: {} does not exist.").format(folder)
            )
            return {"CANCELLED"}
        self.report({"INFO"}, _("The recovery copies are in {}.").format(folder))
        background.run(partial(_open, folder), lambda _done: None)
        return {"FINISHED"}


def _open(folder: str) -> None:
    """By the system's file browser, if there is one; a server in a rack has none."""
    import subprocess  # it brings much along, and hardly anybody needs it

    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            ["xdg-open", folder],  # noqa: S607 - wherever the desktop has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_OPEN,
            check=False,
        )


class CopyStatus(bpy.types.Operator):  # type: ignore[misc]
    """Copy how the line stands to the clipboard, as JSON without secrets, for a bug report"""

    bl_idname = "cr8.copy_status"
    bl_label = "Copy Status"
    bl_options = NO_OPTIONS

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return session.connection() is not None

    def execute(self, context: Any) -> set[str]:
        live = session.connection()
        if live is None:
            return {"CANCELLED"}
        context.window_manager.clipboard = json.dumps(live.status(), indent=2)
        return {"FINISHED"}
