# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished render, which no .blend holds: it is saved beside the file."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from ..errors import SaveError
from ..listeners import Listeners
from ..log import about, logger
from ..steps import flush, flush_folder
from ..wording import one_line, utf8
from .attributes import attributes_of, give
from .writing import umask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_MAGIC = b"\x76\x2f\x31\x01"
# With all layers and passes as they are. The kind of media is new in 5.0, and comes first: it
# decides which formats there are.
_AS_IT_IS = {
    "media_type": "MULTI_LAYER_IMAGE",
    "file_format": "OPEN_EXR_MULTILAYER",
    "color_mode": "RGBA",
    "color_depth": "32",
    "exr_codec": "ZIP",
}


class Renders:
    """Listens to Blender between `attach` and `detach`."""

    def __init__(self) -> None:
        self._written = False
        self._waiting = False
        self._listeners = Listeners(self._make_handlers())

    def _make_handlers(self) -> dict[str, Callable[..., None]]:
        # Blender may call these on the render's thread: nothing of bpy is touched.
        @persistent  # type: ignore[untyped-decorator]
        def nothing(*_args: Any) -> None:
            self._written = self._waiting = False

        @persistent  # type: ignore[untyped-decorator]
        def written(*_args: Any) -> None:
            self._written = True

        @persistent  # type: ignore[untyped-decorator]
        def complete(*_args: Any) -> None:
            self._waiting = not self._written

        return {
            "render_init": nothing,
            "render_write": written,
            "render_complete": complete,
            "render_cancel": nothing,
            "load_post": nothing,
        }

    def attach(self) -> None:
        """Listen."""
        self._listeners.attach()

    def detach(self) -> None:
        """Listen no more. What is known stays: a line that starts afresh needs it."""
        self._listeners.detach()

    def save(self, beside: Path) -> Path | None:
        """The render that has ended last, unless a file has it: once, and beside this file.

        None: there is none. Raises SaveError.
        """
        if not self._waiting:
            return None
        path = _save(beside)
        self._waiting = False
        name = utf8(str(path))
        logger.info("Saved the finished render: %s", name, extra=about("render-saved", path=name))
        return path


renders = Renders()
"""A Blender has one render at a time."""


def _save(beside: Path) -> Path:
    image = next((one for one in bpy.data.images if one.type == "RENDER_RESULT"), None)
    if image is None:
        raise SaveError("the finished render: Blender has no image of it")
    path = beside
    try:
        # Its user alone sees it before it is as private as the file.
        with umask(0o077):
            path = _reserve(beside)
            _write(image, path)
        _verify(path)
    except Exception as error:
        if path != beside:
            with contextlib.suppress(OSError):
                path.unlink()
        raise SaveError(f"the finished render: {one_line(error)}") from error
    if (attributes := attributes_of(beside)) is not None:
        give(path, attributes)
    return path


def _reserve(beside: Path) -> Path:
    """Nothing is overwritten. Raises OSError."""
    for number in itertools.count(1):
        path = beside.with_name(f"{beside.stem}-render-{number}.exr")
        with contextlib.suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError


def _write(image: Any, path: Path) -> None:
    """Raises RuntimeError."""
    # Of other scenes there may be none.
    scenes = [bpy.context.scene, *bpy.data.scenes]
    for scene in scenes:
        try:
            with _format(scene.render.image_settings):
                image.save_render(str(path), scene=scene)
        except RuntimeError:
            if scene == scenes[-1]:
                raise
        else:
            return


@contextlib.contextmanager
def _format(settings: Any) -> Iterator[None]:
    names = [name for name in _AS_IT_IS if hasattr(settings, name)]
    before = {name: getattr(settings, name) for name in names}
    try:
        for name in names:
            setattr(settings, name, _AS_IT_IS[name])
        yield
    finally:
        for name, value in before.items():
            # One that the format before has no such thing for.
            with contextlib.suppress(TypeError):
                setattr(settings, name, value)


def _verify(path: Path) -> None:
    """Raises OSError."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise OSError("it was not written")
        flush(file.fileno(), path)
    flush_folder(path.parent)
