# SPDX-License-Identifier: GPL-3.0-or-later
"""The line's settings: the environment wins, then preferences, then defaults."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import bpy

from . import native
from .errors import OfflineError, UnconfiguredError

if TYPE_CHECKING:
    from cr8_lifeline import Lifeline, SettingInfo

# The add-on that this is a part of: `cr8_router`, or `bl_ext.<repository>.cr8_router`.
ADDON = __package__.rpartition(".")[0] or __package__


def in_environment(info: SettingInfo) -> bool:
    """Whether the environment decides this setting."""
    return bool(os.environ.get(info["variable"], "").strip())


def field_default(info: SettingInfo) -> bool | float | int | str:
    """A setting's default as its preferences field holds it."""
    default = info["default"]
    if info["kind"] == "seconds":
        return float(default)
    if info["kind"] == "count":
        return int(default)
    if info["kind"] == "switch":
        return bool(default)
    if info["kind"] == "seconds-list":
        return ", ".join(f"{float(item):g}" for item in default)
    return str(default or "")


def _from_field(info: SettingInfo, value: Any) -> object:
    """A field's value as the line takes it; a list that is none stays text, to be refused there."""
    if info["kind"] == "seconds":
        # Blender's floats are 32 bits wide; the line counts milliseconds.
        return round(float(value), 3)
    if info["kind"] == "seconds-list":
        try:
            return [float(item) for item in value.replace(",", " ").split()]
        except ValueError:
            return value
    return value


def _fields() -> Any:
    """What a person has set; None when the add-on runs without being listed, as from a script."""
    listed = bpy.context.preferences.addons.get(ADDON)
    return listed.preferences if listed is not None else None


def chosen(name: str) -> Any:
    """A setting as it would count from the next connection on: text, if it is the environment's.

    Raises NativeMissingError.
    """
    info = next(info for info in native.settings_table() if info["name"] == name)
    value: object
    if in_environment(info):
        value = os.environ[info["variable"]]
    else:
        value = _from_field(info, getattr(_fields(), name, field_default(info)))
    # As the line does: what comes with the end of a line in a file, or with a paste.
    return value.strip("\ufeff \t\r\n\v\f") if isinstance(value, str) else value


def file_or_nothing(name: str) -> str:
    """A setting that names a file, as an absolute path; "" if it is not set.

    Raises NativeMissingError.
    """
    path = str(chosen(name))
    if not path:
        return ""
    # While Blender starts, what is open cannot be asked for.
    file = str(getattr(bpy.data, "filepath", ""))
    return os.path.abspath(str(bpy.path.abspath(path, start=os.path.dirname(file))))


def from_preferences() -> dict[str, object]:
    """What a person has set otherwise than the default, by name."""
    fields = _fields()
    differs: dict[str, object] = {}
    for info in native.settings_table():
        value = _from_field(info, getattr(fields, info["name"], field_default(info)))
        if value != _from_field(info, field_default(info)):
            differs[info["name"]] = value
    return differs


def new_line() -> Lifeline:
    """A line as configured, not connected yet.

    Raises OfflineError, UnconfiguredError, NativeMissingError, SettingsInvalidError.
    """
    preferences = from_preferences()
    server = next(info for info in native.settings_table() if info["name"] == "server_url")
    if not (in_environment(server) or preferences.get("server_url") or server["default"]):
        raise UnconfiguredError(
            f"No server is configured: set {server['variable']}, or Server url in Preferences."
        )
    # New in 4.2; what has no such switch is online.
    if not getattr(bpy.app, "online_access", True):
        raise OfflineError(
            "Online access is off: allow it in Blender's preferences (System), or start Blender "
            "with --online-mode, and enable the add-on again."
        )
    preferences.setdefault("journal", _in_user_data("journal.jsonl"))
    preferences.setdefault("policy_store", _in_user_data("policies"))
    return native.new_line(preferences)


def _in_user_data(name: str) -> str:
    """Where the host writes unless set otherwise: among the user's own data."""
    folder = bpy.utils.user_resource("DATAFILES", path="cr8_lifeline")
    return os.path.join(os.path.abspath(folder), name)
