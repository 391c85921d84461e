# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's log: lines on standard output, as its users know them."""

import logging
import sys
from typing import Any

logger = logging.getLogger("cr8_router")

_handlers: list["logging.StreamHandler[Any]"] = []


def register() -> None:
    """Let the log out."""
    # Every line is flushed as it is written: a Blender that is killed has still said it.
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    _handlers.append(handler)


def unregister() -> None:
    """Take back what `register` added."""
    while _handlers:
        logger.removeHandler(_handlers.pop())
    logger.propagate = True
