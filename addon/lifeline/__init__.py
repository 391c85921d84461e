# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifeline for Blender: saves the work and closes Blender when its server is lost.

A library for add-ons, to be put anywhere under them: docs/adopt.md.
"""

from .client import Client
from .errors import AddonError, ArgumentError, NotConnectedError, NotRunningError, TakenError
from .handlers import NOT_TAKEN

__all__ = [
    "NOT_TAKEN",
    "AddonError",
    "ArgumentError",
    "Client",
    "NotConnectedError",
    "NotRunningError",
    "TakenError",
]
