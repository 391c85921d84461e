"""Lifeline inside Blender's Python: see `Lifeline`."""

from cr8_lifeline._native import (
    ClosedError,
    Event,
    Lifeline,
    LifelineError,
    PolicyError,
    SettingsError,
    __version__,
    settings_table,
)
from cr8_lifeline.shapes import PolicyStatus, SettingInfo, Status

__all__ = [
    "ClosedError",
    "Event",
    "Lifeline",
    "LifelineError",
    "PolicyError",
    "PolicyStatus",
    "SettingInfo",
    "SettingsError",
    "Status",
    "__version__",
    "settings_table",
]
