# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the line what is open in Blender: at each tick, when it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import bpy
from bpy.app.handlers import persistent

from .listeners import Listeners
from .wording import utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from cr8_lifeline import Lifeline


class Scene(NamedTuple):
    """What is open. `path` is "" while untitled."""

    modified: bool
    untitled: bool
    rendering: bool
    path: str


def seen_now() -> Scene:
    """What Blender says. For the main thread only."""
    path = utf8(bpy.data.filepath)
    return Scene(
        modified=bool(bpy.data.is_dirty),
        untitled=not path,
        rendering=bool(bpy.app.is_job_running("RENDER")),
        path=path,
    )


class SceneWatch:
    """Keeps one line told."""

    def __init__(self, line: Lifeline) -> None:
        self._line = line
        self._told: Scene | None = None
        self._listeners = Listeners(self._make_handlers())

    def _make_handlers(self) -> dict[str, Callable[..., None]]:
        @persistent  # type: ignore[untyped-decorator]
        def file_changed(*_args: Any) -> None:
            self.report()

        @persistent  # type: ignore[untyped-decorator]
        def render_began(*_args: Any) -> None:
            self._render(True)

        @persistent  # type: ignore[untyped-decorator]
        def render_ended(*_args: Any) -> None:
            self._render(False)

        return {
            "load_post": file_changed,
            "save_post": file_changed,
            "render_init": render_began,
            "render_complete": render_ended,
            "render_cancel": render_ended,
        }

    def attach(self) -> None:
        """Listen to Blender."""
        self._listeners.attach()

    def detach(self) -> None:
        """Listen no more."""
        self._listeners.detach()

    def report(self) -> None:
        """Tell what is open, if that is news. For the main thread only."""
        self._tell(seen_now())

    def _render(self, rendering: bool) -> None:
        """A render may block the ticks until it ends, so its begin is told at once.

        Blender may call this on the render's thread: nothing of bpy is touched.
        """
        if self._told is not None:
            self._tell(self._told._replace(rendering=rendering))

    def _tell(self, scene: Scene) -> None:
        if scene != self._told and not self._line.closed:
            self._line.scene(**scene._asdict())
            self._told = scene
