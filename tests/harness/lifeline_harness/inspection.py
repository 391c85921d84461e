"""Runs inside Blender: tells what is in the file that was opened. See `blend`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import bpy


def _properties(owner: Any) -> dict[str, Any]:
    """The custom properties that JSON carries."""
    return {
        name: value for name, value in owner.items() if isinstance(value, (bool, int, float, str))
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
            }
            for one in bpy.data.objects
        },
        "texts": {one.name: one.as_string() for one in bpy.data.texts},
    }
    answer.write_text(json.dumps(facts), encoding="utf-8")


main(sys.argv[-2], Path(sys.argv[-1]))
