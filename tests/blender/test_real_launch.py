"""A session from its first word to its last, with an engine that allows what the real one does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from lifeline_harness import processes
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile

from tests.blender.observe import count
from tests.blender.stage import COMPRESSED
from tests.python.plain import Plain

USER = "ann"
LAUNCH_SECONDS = 60.0


@pytest.fixture
def engine(tmp_path: Path, display: Display) -> Iterator[Engine]:
    before = processes.descendants()
    environment = {f"CR8_{name.upper()}": str(value) for name, value in COMPRESSED.items()}
    profile = Profile(tmp_path, display, environment=environment)
    with Engine(profile, ping_interval=90, ping_timeout=120, allowing=()) as engine:
        yield engine
    processes.assert_none_left(before)


def test_from_browser_ready_to_exit_workspace(engine: Engine, template: Path) -> None:
    """Blender is launched, called by its operator, answers a command, and is ended."""
    origin = f"http://127.0.0.1:{engine.port}"

    async def session() -> Blender:
        auth = {"username": USER, "blend_file_path": str(template)}
        async with Plain(origin, "/browser", auth) as page:
            await page.emit("browser_ready")
            await page.until("session_ready")
            await page.until("blender_connected", LAUNCH_SECONDS)
            (pid,) = [one["pid"] for one in engine.status()["launched"]]
            blender = Blender(engine.profile, pid, None)
            with closing(blender):
                await asyncio.to_thread(blender.wait_ready)
                # The operator is called a second after the start, and finds Blender connected.
                await asyncio.to_thread(blender.run, CALLED)
                message = {"message_id": "m", "payload": {"addon_id": "none", "command": "fly"}}
                await page.emit("command_sent", message)
                assert (await page.until("command_failed", 30))["message_id"] == "m"
                await page.emit("exit_workspace")
                gone = await page.until("blender_disconnected", 30)
                assert gone["payload"]["status"] == "disconnected"
                await asyncio.to_thread(blender.wait_exit, 30)
            return blender

    blender = asyncio.run(session())
    assert engine.status()["connects"] == 1
    assert count(blender, "Traceback|could not be found") == 0


# What was registered before it has been called, too.
CALLED = """
import bpy
assert bpy.ops.ws_handler.connect_websocket() == {"FINISHED"}
"""
