# SPDX-License-Identifier: GPL-3.0-or-later
"""Finished renders, which no .blend holds: they are saved beside the file."""

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
        self._ended: bool | None = None
        """The last render: whether it is complete, and in no file. None: nothing new."""
        self._waiting: list[int] = []
        """The slots of renders that no file has, the newest last."""
        self._listeners = Listeners(self._make_handlers())

    def _make_handlers(self) -> dict[str, Callable[..., None]]:
        # Blender may call these on the render's thread: nothing of bpy is touched.
        @persistent  # type: ignore[untyped-decorator]
        def begun(*_args: Any) -> None:
            self._written = False

        @persistent  # type: ignore[untyped-decorator]
        def written(*_args: Any) -> None:
            self._written = True

        @persistent  # type: ignore[untyped-decorator]
        def complete(*_args: Any) -> None:
            self._ended = not self._written

        @persistent  # type: ignore[untyped-decorator]
        def cancelled(*_args: Any) -> None:
            self._ended = False

        @persistent  # type: ignore[untyped-decorator]
        def opened(*_args: Any) -> None:
            self._ended, self._waiting = None, []

        return {
            "render_init": begun,
            "render_write": written,
            "render_complete": complete,
            "render_cancel": cancelled,
            "load_post": opened,
        }

    def attach(self) -> None:
        """Listen."""
        self._listeners.attach()

    def detach(self) -> None:
        """Listen no more. What is known stays: a line that starts afresh needs it."""
        self._listeners.detach()

    def notice(self) -> None:
        """In which slot is what has just ended? For the main thread, at each tick."""
        if self._ended is None:
            return
        waiting, self._ended = self._ended, None
        image = _result()
        slot = 0 if image is None else image.render_slots.active_index
        self._waiting = [one for one in self._waiting if one != slot] + [slot] * waiting

    def unsaved(self) -> bool:
        """Whether there is one that no file has. For the main thread."""
        self.notice()
        return bool(self._waiting)

    def save(self, beside: Path) -> Path | None:
        """Each render that no file has: once, and beside this file. Gives that of the last one.

        None: there is none. Raises SaveError if one could not be saved.
        """
        self.notice()
        path, error = None, None
        for slot in list(self._waiting):
            try:
                path = _save(slot, beside)
            except SaveError as failure:
                error = failure
                continue
            self._waiting.remove(slot)
            name = utf8(str(path))
            logger.info(
                "Saved the finished render: %s", name, extra=about("render-saved", path=name)
            )
        if error is not None:
            raise error
        return path


renders = Renders()
"""A Blender has one render at a time."""


def _result() -> Any:
    """Blender's image of what it has rendered; None: there is none."""
    return next((one for one in bpy.data.images if one.type == "RENDER_RESULT"), None)


def _save(slot: int, beside: Path) -> Path:
    image = _result()
    if image is None:
        raise SaveError("the finished render: Blender has no image of it")
    slots, path = image.render_slots, beside
    shown = slots.active_index
    try:
        slots.active_index = slot
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
    finally:
        slots.active_index = shown
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
