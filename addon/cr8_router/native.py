# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that imports the native module, which may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import NativeMissingError, SettingsInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cr8_lifeline import Lifeline, SettingInfo


def _missing(error: ImportError) -> NativeMissingError:
    return NativeMissingError(
        f"The native module cr8_lifeline cannot be imported ({error}): put it into "
        "scripts/addons/modules, or install the extension that bundles it, and enable the add-on "
        "again; until then it stays idle."
    )


def settings_table() -> list[SettingInfo]:
    """Every setting of the line. Raises NativeMissingError."""
    try:
        import cr8_lifeline
    except ImportError as error:
        raise _missing(error) from error
    return cr8_lifeline.settings_table()


def run_command(words: list[str]) -> tuple[int, str, str]:
    """The command `lifeline`: exit code, output, complaints. Not for Blender's main thread.

    Raises NativeMissingError.
    """
    try:
        import cr8_lifeline
    except ImportError as error:
        raise _missing(error) from error
    return cr8_lifeline.run_command(words)


def new_line(settings: Mapping[str, object]) -> Lifeline:
    """A line that is not connected yet. Raises NativeMissingError, SettingsInvalidError."""
    try:
        import cr8_lifeline
    except ImportError as error:
        raise _missing(error) from error
    try:
        return cr8_lifeline.Lifeline(settings)
    except cr8_lifeline.SettingsError as error:
        faults = "; ".join(str(error).splitlines())
        raise SettingsInvalidError(
            f"The settings of the server connection are not valid: {faults}."
        ) from error
