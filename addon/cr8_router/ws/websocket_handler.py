# SPDX-License-Identifier: GPL-3.0-or-later
"""The handler of the connection, under the name that users of the original know."""

from ..lifeline.connection.connection import Connection as WebSocketHandler

__all__ = ["WebSocketHandler"]
