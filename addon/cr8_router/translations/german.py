# SPDX-License-Identifier: GPL-3.0-or-later
"""German."""

TEXTS: dict[tuple[str, str], str] = {}
