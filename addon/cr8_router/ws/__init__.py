# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server."""
