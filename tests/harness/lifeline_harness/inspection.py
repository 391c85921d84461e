"""Runs inside Blender: tells what is in the file that was opened. See `blend`.

With a path and an answer's path behind `--`: of the file that was opened already. Without: of each
file that standard input names, in a line that is a JSON list of the two.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from array import array
from pathlib import Path
from typing import Any

import bpy

# So many vertices and pixels are told.
_FEW = 1000

# Not what a render leaves.
_IMAGES = ("IMAGE", "UV_TEST")


def _properties(owner: Any) -> dict[str, Any]:
    """The custom properties that JSON carries."""
    return {
        name: value for name, value in owner.items() if isinstance(value, (bool, int, float, str))
    }


def _floats(collection: Any, name: str, count: int) -> array[float]:
    values = array("f", bytes(4 * count))
    collection.foreach_get(name, values)
    return values


def _mesh(mesh: Any) -> dict[str, Any]:
    found = _floats(mesh.vertices, "co", 3 * len(mesh.vertices))
    corners = [found[at : at + 3].tolist() for at in range(0, min(len(found), 3 * _FEW), 3)]
    return {"count": len(mesh.vertices), "faces": len(mesh.polygons), "vertices": corners}


def _image(image: Any) -> dict[str, Any]:
    packed = b"".join(one.packed_file.data for one in image.packed_files)
    # Read first: whether there are any is not known before.
    count = len(image.pixels)
    pixels = array("f", bytes(4 * count))
    image.pixels.foreach_get(pixels)
    return {
        "path": bpy.path.abspath(image.filepath),
        "packed": hashlib.sha256(packed).hexdigest() if packed else None,
        "packed_size": len(packed),
        "pixels": pixels[: 4 * _FEW].tolist(),
    }


def _tell(path: str, answer: Path) -> None:
    # Blender goes on with another scene if a file cannot be opened.
    if os.path.realpath(bpy.data.filepath) != path:
        raise RuntimeError(f"{path} was not opened")
    facts = {
        "version": list(bpy.data.version),
        "scene": bpy.context.scene.name,
        "properties": _properties(bpy.context.scene),
        "objects": {
            one.name: {
                "type": one.type,
                "location": list(one.location),
                "properties": _properties(one),
                "mesh": _mesh(one.data) if one.type == "MESH" else None,
            }
            for one in bpy.data.objects
        },
        "images": {
            one.name: _image(one)
            for one in bpy.data.images
            if one.type in _IMAGES and one.library is None
        },
        "texts": {one.name: one.as_string() for one in bpy.data.texts},
    }
    _write(answer, facts)


def _write(answer: Path, content: object) -> None:
    partial = answer.with_suffix(".partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(answer)


def _serve() -> None:
    for line in sys.stdin:
        path, answer = json.loads(line)
        try:
            bpy.ops.wm.open_mainfile(filepath=path)
            _tell(path, Path(answer))
        except RuntimeError as error:
            _write(Path(answer), str(error))


def main(words: list[str]) -> None:
    if words:
        path, answer = words
        _tell(path, Path(answer))
    else:
        _serve()


main(sys.argv[sys.argv.index("--") + 1 :])
