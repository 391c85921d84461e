# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about what happens on the line."""
