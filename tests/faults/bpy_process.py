"""bpy in a process of its own, in a scenario."""

from __future__ import annotations

from typing import Any

from lifeline_harness import bpy_module
from lifeline_harness.blender import Blender

from tests.blender.stage import EDIT, Stage

# bpy alone takes a second or two to load.
CONNECT_SECONDS = 60.0


def start(stage: Stage, source: str, variable: str = bpy_module.VARIABLE) -> Blender:
    """Run a script that imports bpy, with the server's variables. variable: names the Python."""
    environment = stage.engine.line("ann")
    return stage.own(
        bpy_module.start(stage.profile, source, environment=environment, variable=variable)
    )


def wait_connected(stage: Stage, blender: Blender, connections: int = 1) -> dict[str, Any]:
    """Wait until it is connected, for the `connections`-th time; the server's view of it."""
    found: list[dict[str, Any]] = []

    def connected() -> bool:
        one = stage.engine.blender("ann")
        found[:] = [one] if one is not None and one["connections"] >= connections else []
        return bool(found)

    blender.wait_alive("connected", connected, CONNECT_SECONDS)
    return found[0]


def assert_edit_saved(
    stage: Stage, version: tuple[int, int] = (4, 5), variable: str = bpy_module.VARIABLE
) -> None:
    """By this Blender, in the file's own place."""
    facts = bpy_module.inspect(stage.file, variable=variable)
    assert facts["version"][:2] == [*version]
    assert tuple(facts["objects"]["Cube"]["location"]) == EDIT
