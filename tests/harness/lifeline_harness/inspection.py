"""Runs inside Blender: tells what is in the file that was opened. See `blend`."""

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


def main(path: str, answer: Path) -> None:
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
    answer.write_text(json.dumps(facts), encoding="utf-8")


main(sys.argv[-2], Path(sys.argv[-1]))
