"""Lifeline inside Blender's Python: see `Lifeline`."""

from cr8_lifeline._native import (
    ClosedError,
    Event,
    Lifeline,
    LifelineError,
    PolicyError,
    SettingsError,
    __version__,
    run_command,
    settings_table,
)
from cr8_lifeline.shapes import (
    LastSave,
    PolicyStatus,
    RefusedPolicy,
    SaveStatus,
    SettingInfo,
    Status,
    UploadStatus,
)

__all__ = [
    "ClosedError",
    "Event",
    "LastSave",
    "Lifeline",
    "LifelineError",
    "PolicyError",
    "PolicyStatus",
    "RefusedPolicy",
    "SaveStatus",
    "SettingInfo",
    "SettingsError",
    "Status",
    "UploadStatus",
    "__version__",
    "run_command",
    "settings_table",
]
