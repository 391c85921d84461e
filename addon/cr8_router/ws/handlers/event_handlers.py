# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done when the server is lost, under the name that users of the original know."""

from ...lifeline.connection.host_events import on_disconnect

__all__ = ["on_disconnect"]
