# SPDX-License-Identifier: GPL-3.0-or-later
"""The line's settings: the environment wins, then preferences, then defaults."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import bpy

from . import native, options
from .errors import OfflineError, UnconfiguredError

if TYPE_CHECKING:
    from cr8_lifeline import Lifeline, SettingInfo

OFFLINE = (
    "Online access is off, so nothing guards this Blender. Switch it on: Edit > Preferences > "
    "System > Network > Allow Online Access (or start Blender with --online-mode); then press "
    "Connect, in the sidebar (N) of the 3D view."
)
"""Said in the log, and where the add-on is shown."""


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
    """What a person has set; None when the add-on runs without being listed, as from a script.

    They may be of a class of the add-on's own, which has some of our fields, or none.
    """
    listed = bpy.context.preferences.addons.get(options.current.addon)
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


def uploads() -> bool:
    """Whether what is saved is to go somewhere else, too. Raises NativeMissingError."""
    given = {**options.current.settings, **options.current.arguments}
    names = [info["name"] for info in native.settings_table()]
    return any(given.get(name) or chosen(name) for name in names if name.startswith("save_"))


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
    """A connection as configured, not begun yet.

    First counts what the add-on has given to `connect`, then the environment, then what a person
    has set, what the add-on has given to its client, and the defaults.

    Raises OfflineError, UnconfiguredError, NativeMissingError, SettingsInvalidError.
    """
    given = options.current
    settings = {**given.settings, **from_preferences(), **given.arguments}
    table = {info["name"]: info for info in native.settings_table()}
    server = table["server_url"]
    if not (in_environment(server) or settings.get("server_url") or server["default"]):
        raise UnconfiguredError(
            f"No server is configured: set {server['variable']}, or Server url in Preferences."
        )
    if offline():
        raise OfflineError(OFFLINE)
    settings.setdefault("journal", _in_user_data("journal.jsonl"))
    settings.setdefault("policy_store", _in_user_data("policies"))
    # What an argument has decided the environment does not.
    decided = {table[name]["variable"] for name in given.arguments}
    environment = {name: value for name, value in os.environ.items() if name not in decided}
    return native.new_line(settings, environment)


def offline() -> bool:
    """Blender's switch is off, and counts: the add-on does not answer for it."""
    # New in 4.2; what has no such switch is online.
    return not (options.current.online or getattr(bpy.app, "online_access", True))


def _in_user_data(name: str) -> str:
    """Where the host writes unless set otherwise: among the user's own data."""
    folder = bpy.utils.user_resource("DATAFILES", path="cr8_lifeline")
    return os.path.join(os.path.abspath(folder), name)
