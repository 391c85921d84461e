# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on that takes Lifeline in has said about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping


class Options(NamedTuple):
    """Of one `Client`; the same for all of its sessions, but for `arguments`."""

    addon: str = ""
    """Under which the preferences are: `cr8_router`, or `bl_ext.<repository>.<name>`; "": none."""
    logger: logging.Logger | str = __package__
    """Takes the log's lines; a name: of a logger whose lines Lifeline writes out itself."""
    online: bool = False
    """The add-on answers for the access to the network, whatever Blender's own switch says."""
    tab: str = "CR8"
    """Of the 3D view's sidebar, with the panels."""
    settings: Mapping[str, Any] = {}
    """By name: where neither the environment nor a person has said anything."""
    arguments: Mapping[str, Any] = {}
    """By name: these come before everything else."""

    def __repr__(self) -> str:
        # A token may be among what was given.
        return f"<Options of {self.addon or 'an add-on without preferences'}>"


current = Options()
"""Of the client that is connected, or was last."""
