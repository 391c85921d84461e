"""Lifeline inside Blender's Python: see `Lifeline`."""

from cr8_lifeline._native import (
    ClosedError,
    Decision,
    Event,
    Lifeline,
    LifelineError,
    Policy,
    PolicyError,
    SettingsError,
    State,
    __version__,
    run_command,
    settings_table,
    while_main_thread_sleeps,
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
    "Decision",
    "Event",
    "LastSave",
    "Lifeline",
    "LifelineError",
    "Policy",
    "PolicyError",
    "PolicyStatus",
    "RefusedPolicy",
    "SaveStatus",
    "SettingInfo",
    "SettingsError",
    "State",
    "Status",
    "UploadStatus",
    "__version__",
    "run_command",
    "settings_table",
    "while_main_thread_sleeps",
]
