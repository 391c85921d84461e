# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that imports the native module, which may be missing."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import NativeMissingError, SettingsInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cr8_lifeline import Lifeline, SettingInfo

# Where the zip for Blenders without extensions has it, and where an add-on may have put it: in this
# package, or beside it.
_HERE = Path(__file__).parent
_OWN = (_HERE / "vendor", _HERE.parent)


@cache
def _load() -> None:
    """Have it imported: the add-on's own before any other. Raises NativeMissingError."""
    path = [str(folder) for folder in _OWN if (folder / "cr8_lifeline").is_dir()]
    sys.path[:0] = path
    try:
        import cr8_lifeline  # noqa: F401
    except ImportError as error:
        raise NativeMissingError(_reason(error)) from error
    finally:
        for folder in path:
            sys.path.remove(folder)


def _reason(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == "cr8_lifeline":
        return (
            "The native module cr8_lifeline is missing: install the add-on from its zip, which "
            "contains it, and enable it again; until then it stays idle."
        )
    return (
        f"The native module cr8_lifeline does not fit this Blender on {_here()} ({error}): install "
        "the zip that was built for it, and enable the add-on again; until then it stays idle."
    )


def _here() -> str:
    """The machine, as far as a native module has to fit it."""
    import platform  # it brings much along, and hardly anybody needs it

    python = ".".join(platform.python_version_tuple()[:2])
    here = f"{platform.system()} {platform.machine()} with Python {python}"
    try:
        return f"{here} and {os.confstr('CS_GNU_LIBC_VERSION')}"
    except (AttributeError, OSError, ValueError):  # another C library
        return here


@cache
def settings_table() -> list[SettingInfo]:
    """Every setting of the line; not to be changed. Raises NativeMissingError."""
    _load()
    import cr8_lifeline

    return cr8_lifeline.settings_table()


def run_command(words: list[str]) -> tuple[int, str, str]:
    """The command `lifeline`: exit code, output, complaints. Not for Blender's main thread.

    Raises NativeMissingError.
    """
    _load()
    import cr8_lifeline

    return cr8_lifeline.run_command(words)


def while_main_thread_sleeps(function: Callable[..., object], *args: Any, **options: Any) -> bool:
    """See the module's own. False, too, with the older module of a Blender in which the add-on was
    updated. Raises NativeMissingError."""
    _load()
    import cr8_lifeline

    call = getattr(cr8_lifeline, "while_main_thread_sleeps", None)
    return call is not None and call(function, *args, **options)


def new_line(settings: Mapping[str, object], environment: Mapping[str, str]) -> Lifeline:
    """A line that is not connected yet. Raises NativeMissingError, SettingsInvalidError."""
    _load()
    import cr8_lifeline

    try:
        return cr8_lifeline.Lifeline(settings, environ=environment)
    except cr8_lifeline.SettingsError as error:
        faults = "; ".join(str(error).splitlines())
        raise SettingsInvalidError(
            f"The settings of the server connection are not valid: {faults}."
        ) from error
