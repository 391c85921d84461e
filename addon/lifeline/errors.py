# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's errors."""

# Those of `logging`, which takes longer to import than all that an add-on is enabled by.
_INFO, _WARNING, _ERROR = 20, 30, 40


class AddonError(Exception):
    """Base of every error raised by this add-on. `level` is how loudly to log it."""

    level: int = _ERROR


class NativeMissingError(AddonError):
    """The module `cr8_lifeline` cannot be imported."""


class OfflineError(AddonError):
    """Blender's preferences forbid access to the network."""

    level = _WARNING


class UnconfiguredError(AddonError):
    """No server is named: the ordinary case of a Blender that nobody owns."""

    level = _INFO


class SettingsInvalidError(AddonError):
    """A setting is missing, unknown or out of its range."""


class NotRunningError(AddonError):
    """There is no connection to run."""


class NotConnectedError(AddonError):
    """The server cannot be told anything now."""


class ArgumentError(AddonError):
    """A method was given what it does not take."""


class TakenError(AddonError):
    """Another add-on's Lifeline runs in this Blender."""


class LogFileError(AddonError):
    """The file for JSON lines cannot be written."""


class RehearsalError(AddonError):
    """A policy cannot be checked, or an outage not be simulated."""


class SaveError(AddonError):
    """The work was not saved.

    reasons: a sentence each, which names the file, what is wrong and, where there is one, the
    way out.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
