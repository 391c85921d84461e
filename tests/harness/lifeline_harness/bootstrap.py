"""Runs inside Blender: enables the add-on, and does what comes in over the control channel.

The channel is a folder, `$LIFELINE_CONTROL/<process id>`: a request is a file `<n>.py`, its
answer `<n>.json`; both appear under their name only when they are whole. Requests run on the
main thread, from a timer that survives the opening of files.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import addon_utils
import bpy

STEP = 0.05


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"bpy": bpy}
    try:
        exec(compile(source, "<snippet>", "exec"), names)  # noqa: S102 - what this is for
        answer = {"value": names.get("result")}
        json.dumps(answer)
    except BaseException:  # a SystemExit too would end Blender in a way no test means
        return {"error": traceback.format_exc()}
    return answer


def _serve(folder: Path) -> float:
    for request in sorted(folder.glob("*.py"), key=lambda path: int(path.stem)):
        source = request.read_text(encoding="utf-8")
        request.unlink()
        _write(request.with_suffix(".json"), _run(source))
    return STEP


def _enable(module: str) -> None:
    causes: list[BaseException | None] = []

    def keep(*_error: object) -> None:  # its arguments differ by version
        causes.append(sys.exc_info()[1])

    if addon_utils.enable(module, default_set=True, handle_error=keep) is None:
        cause = causes[0] if causes else None
        raise RuntimeError(f"the add-on {module} cannot be enabled") from cause


def _started(module: str | None) -> bool:
    """With a window the add-on starts a moment after it was enabled."""
    return not module or sys.modules[module].started()


def _draw_less(_file: object = None) -> None:
    """Drawing by software is most of what a Blender costs, and the 3D view is most of that."""
    nobody_looks = bool(os.environ.get("LIFELINE_NOBODY_LOOKS"))
    for area in [area for screen in bpy.data.screens for area in screen.areas]:
        if nobody_looks:
            area.type = "INFO"
            continue
        for space in area.spaces:
            if space.type == "VIEW_3D":
                space.overlay.show_outline_selected = False
                space.overlay.show_extras = False
                space.overlay.show_relationship_lines = False
                space.overlay.show_axis_x = False
                space.overlay.show_axis_y = False
                space.overlay.show_floor = False


def main() -> None:
    # Blender keeps lines back when it writes to a file.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    sys.dont_write_bytecode = True
    if packages := os.environ.get("LIFELINE_PYTHON"):
        sys.path.insert(0, packages)
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.system.viewport_aa = "OFF"
    _draw_less()
    bpy.app.handlers.load_post.append(bpy.app.handlers.persistent(_draw_less))
    if hasattr(bpy.context.preferences.system, "use_online_access"):
        bpy.context.preferences.system.use_online_access = True  # since 4.2, off at first
    if module := os.environ.get("LIFELINE_ADDON"):
        _enable(module)

    folder = Path(os.environ["LIFELINE_CONTROL"]) / str(os.getpid())
    folder.mkdir(parents=True)

    def serve() -> float:
        return _serve(folder) if _started(module) else STEP

    bpy.app.timers.register(serve, persistent=True)
    _write(folder / "ready.json", {"version": list(bpy.app.version)})


main()
