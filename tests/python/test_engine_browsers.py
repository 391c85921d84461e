"""The engine as a page meets it: Blender's start and end, and what is saved."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from lifeline_harness.waiting import wait_until

from tests.python.plain import (
    SECRET,
    USER,
    Plain,
    answer,
    assert_envelope,
    blender,
    browser,
    refused,
)
from tests.python.server import Server

FAKE = Path(__file__).with_name("fake_blender.py")
REMOTE = ("--launch-mode", "remote")
MIB = 1024 * 1024
KEY = "ann/job.blend"

MakeEngine = Callable[..., Server]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


@pytest.fixture
def make_engine(tmp_path: Path, notes: Path) -> Iterator[MakeEngine]:
    """Start one that launches stand-ins for Blender; none of them is left in the end."""
    with ExitStack() as stack:

        def make(*options: str, allowing: tuple[str, ...] = REMOTE) -> Server:
            store = ["--store", str(tmp_path / "store")]
            fake = ["--", sys.executable, str(FAKE), str(notes), "{file}"]
            server = Server(allowing=allowing, secret=SECRET, options=[*store, *options, *fake])
            stack.callback(server.close)
            stack.callback(_end_all, server)
            server.start()
            return server

        yield make


def _end_all(server: Server) -> None:
    for one in server.status()["launched"]:
        if one["alive"]:
            os.kill(one["pid"], signal.SIGKILL)


def launched(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.status()["launched"]
    return found


def note(notes: Path, pid: int) -> dict[str, Any]:
    """What a started stand-in has written down."""
    file = notes / f"{pid}.json"
    wait_until("Blender's stand-in is there", file.exists, 20.0)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


async def ready(page: Plain, **content: object) -> None:
    await page.emit("browser_ready", content or None)
    said = assert_envelope(await page.until("session_ready"), "session_ready")
    assert said["status"] == "launching_blender"


async def launched_by(server: Server, page: Plain, notes: Path, **content: object) -> int:
    """The process of the Blender that the page has asked for."""
    await ready(page, **content)
    pid = await _until(lambda: launched(server)[-1]["pid"] if launched(server) else None)
    note(notes, pid)
    return int(pid)


async def _until(look: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(wait_until, "what the engine does", look, 30.0)


def test_local_launch(make_engine: MakeEngine, notes: Path, tmp_path: Path) -> None:
    engine = make_engine(allowing=())
    file = tmp_path / "job.blend"
    file.touch()

    async def scenario() -> int:
        auth = {"username": USER, "blend_file_path": str(file)}
        async with Plain(engine.origin, "/browser", auth) as page:
            return await launched_by(engine, page, notes)

    started = note(notes, asyncio.run(scenario()))
    first, option, call = started["arguments"]
    assert (first, option) == (str(file), "--python-expr")
    compile(call, "<call>", "exec")
    assert "bpy.ops.ws_handler.connect_websocket()" in call
    environment = started["environment"]
    assert environment["WS_URL"] == engine.origin
    assert environment["CR8_USERNAME"] == USER
    assert {"DISPLAY", "CR8_SIGNALLER_URI"} <= set(environment)
    none = {"CR8_AUTH_TOKEN", "CR8_SAVE_URL", "BLEND_URL", "CR8_ENGINE_SECRET"}
    assert not none & set(environment)


def test_remote_launch(make_engine: MakeEngine, notes: Path) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with browser(engine, blend_object_key="ann/job.blend") as page:
            pid = await launched_by(engine, page, notes)
            status = assert_envelope(await page.until("instance_status"), "instance_status")
            assert set(status["data"]) == {"elapsed"}
            environment = note(notes, pid)["environment"]
            async with aiohttp.ClientSession() as session:
                put = await session.put(environment["CR8_SAVE_URL"], data=b"work")
                got = await session.get(environment["BLEND_URL"])
                assert (put.status, await got.read()) == (200, b"work")
                forged = environment["CR8_SAVE_URL"].replace("job", "other")
                assert (await session.put(forged, data=b"")).status == 403
            # The token that it was given lets it in.
            async with blender(engine, token=environment["CR8_AUTH_TOKEN"]):
                await page.until("blender_connected")

    asyncio.run(scenario())


def test_tokens_expire(make_engine: MakeEngine, notes: Path) -> None:
    engine = make_engine("--token-lifetime", "0.001")

    async def scenario() -> str:
        async with browser(engine) as page:
            pid = await launched_by(engine, page, notes)
            token = note(notes, pid)["environment"]["CR8_AUTH_TOKEN"]
            await refused(blender(engine, token=token))
        return str(engine.status()["history"][-1]["reason"])

    assert "the token has expired" in asyncio.run(scenario())


def test_a_launch_that_fails_is_told(make_engine: MakeEngine) -> None:
    engine = make_engine(allowing=())

    async def scenario() -> None:
        auth = {"username": USER, "blend_file_path": "/nowhere/job.blend"}
        async with Plain(engine.origin, "/browser", auth) as page:
            await ready(page)
            status = assert_envelope(await page.until("instance_status"), "instance_status")
            assert status["status"] == "error"
            assert status["data"] == {"reason": "local_failed", "recoverable": True}

    asyncio.run(scenario())


def test_recovery_leaves_a_running_one_alone_whatever_its_project(
    make_engine: MakeEngine, notes: Path
) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with browser(engine, blend_object_key="ann/one.blend") as page:
            await launched_by(engine, page, notes)
            async with blender(engine), browser(engine, blend_object_key="ann/two.blend") as other:
                await other.emit("browser_ready", {"recovery": True})
                await other.until("blender_connected")
                # The same project, and no word of recovery.
                await page.emit("browser_ready")
                await page.until("blender_connected")
                assert "session_ready" not in other.names()

    asyncio.run(scenario())
    assert [one["alive"] for one in launched(engine)] == [True]


def test_another_project_saves_and_ends_the_one_that_runs(
    make_engine: MakeEngine, notes: Path, tmp_path: Path
) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with browser(engine, blend_object_key="ann/one.blend") as page:
            first = await launched_by(engine, page, notes)
            async with (
                blender(engine) as one,
                browser(engine, blend_object_key="ann/two.blend") as other,
            ):
                await other.emit("browser_ready")
                command = await one.until("command_received")
                assert command["command"] == "save"
                await upload(one, command, b"the work of before")
                await other.until("session_ready")
                second = await _until(
                    lambda: next((it["pid"] for it in launched(engine) if it["alive"]), None)
                )
                assert second != first

    asyncio.run(scenario())
    assert (tmp_path / "store" / "ann" / "one.blend").read_bytes() == b"the work of before"


@pytest.mark.parametrize("event", ["exit_workspace", "cancel_launch"])
@pytest.mark.parametrize("stubborn", [False, True])
def test_the_end_is_sigterm_and_five_seconds_later_sigkill(
    make_engine: MakeEngine,
    notes: Path,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    stubborn: bool,
) -> None:
    if stubborn:
        monkeypatch.setenv("CR8_STUBBORN", "1")
    engine = make_engine()

    async def scenario() -> int:
        async with browser(engine) as page:
            pid = await launched_by(engine, page, notes)
            await page.emit(event)
            await _until(lambda: not launched(engine)[0]["alive"])
            if event == "cancel_launch":
                status = await page.until("instance_status")
                while status["payload"]["status"] != "cancelled":
                    status = await page.until("instance_status")
                assert status["payload"]["data"] == {"reason": "user_cancelled"}
            return pid

    pid = asyncio.run(scenario())
    # The engine does not ask how it ended, so the process table still tells.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ended_by = os.WTERMSIG(int(fields[49]))
    assert ended_by == (signal.SIGKILL if stubborn else signal.SIGTERM)


async def upload(one: Plain, command: dict[str, Any], content: bytes) -> None:
    """What an add-on does with a `save`: put the parts, and answer with what they are called."""
    multipart = command["params"]["multipart"]
    size = multipart["part_size"]
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    parts = []
    async with aiohttp.ClientSession() as session:
        for number, (url, piece) in enumerate(
            zip(multipart["part_urls"], pieces, strict=False), start=1
        ):
            put = await session.put(url, data=piece)
            assert put.status == 200
            parts.append({"PartNumber": number, "ETag": put.headers["ETag"]})
    data = {"ok": True, "parts": parts, "message": "Saved"}
    await one.emit("command_completed", answer(command, True, data))


def test_a_save_in_parts(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine("--part-size", "100000")
    content = os.urandom(250_000)

    async def scenario() -> None:
        async with (
            browser(engine, blend_object_key="ann/job.blend") as page,
            blender(engine) as one,
        ):
            await page.emit("save_file", {"message_id": "s-1"})
            command = await one.until("command_received")
            assert (command["addon_id"], command["command"]) == ("cr8_router", "save")
            assert command["params"]["multipart"]["key"] == "ann/job.blend"
            await upload(one, command, content)
            done = await page.until("command_completed")
            assert done["message_id"] == "s-1"
            assert done["payload"]["data"] == {"ok": True, "message": "Saved"}

    asyncio.run(scenario())
    assert (tmp_path / "store" / "ann" / "job.blend").read_bytes() == content


def test_a_save_under_a_new_name(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with browser(engine) as page, blender(engine) as one:
            await page.emit("save_file", {"message_id": "s-0"})
            failed = await page.until("command_failed")
            assert failed["payload"]["error"]["code"] == "NO_TARGET"
            await page.emit("save_file", {"filename": "new.blend"})
            await upload(one, await one.until("command_received"), b"work")
            assert (await page.until("command_completed"))["payload"]["data"]["ok"] is True

    asyncio.run(scenario())
    assert (tmp_path / "store" / USER / "new.blend").read_bytes() == b"work"


def test_a_save_that_blender_cannot_do_is_told_at_once(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with (
            browser(engine, blend_object_key="ann/job.blend") as page,
            blender(engine) as one,
        ):
            await page.emit("save_file", {"message_id": "s-2"})
            command = await one.until("command_received")
            await one.emit("command_failed", answer(command, False, {"message": "disk full"}))
            done = await page.until("command_completed")
            assert done["payload"]["data"] == {"ok": False, "message": "disk full"}
            # What was uploaded is not what is claimed.
            await page.emit("save_file", {"message_id": "s-3"})
            command = await one.until("command_received")
            data = {"ok": True, "parts": [{"PartNumber": 1, "ETag": "another"}]}
            await one.emit("command_completed", answer(command, True, data))
            assert (await page.until("command_completed"))["payload"]["data"]["ok"] is False

    asyncio.run(scenario())
    assert not (tmp_path / "store" / "ann" / "job.blend").exists()


def test_a_body_of_more_than_a_hundred_megabytes_is_refused(make_engine: MakeEngine) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with (
            browser(engine, blend_object_key="ann/job.blend") as page,
            blender(engine) as one,
        ):
            await page.emit("save_file", {"message_id": "s-4"})
            multipart = (await one.until("command_received"))["params"]["multipart"]
            assert multipart["part_size"] == 90 * MIB
            async with aiohttp.ClientSession() as session:
                put = await session.put(multipart["part_urls"][0], data=bytes(100 * MIB))
                assert put.status == 413

    asyncio.run(scenario())


def test_a_render_is_a_command_with_parts(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()

    async def scenario() -> None:
        async with (
            browser(engine, blend_object_key="ann/job.blend") as page,
            blender(engine) as one,
        ):
            await page.emit("render_image", {"message_id": "r-1"})
            command = await one.until("command_received")
            assert (command["addon_id"], command["command"]) == ("cr8_render", "render_image")
            await upload(one, command, b"a picture")
            done = (await page.until("command_completed"))["payload"]["data"]
            assert (done["ok"], done["key"]) == (True, "ann/renders/r-1.png")

    asyncio.run(scenario())
    assert (tmp_path / "store" / "ann" / "renders" / "r-1.png").read_bytes() == b"a picture"


def test_nothing_is_saved_to_the_cloud_in_local_mode(make_engine: MakeEngine) -> None:
    engine = make_engine(allowing=())

    async def scenario() -> None:
        auth = {"username": USER, "blend_object_key": "ann/job.blend"}
        async with Plain(engine.origin, "/browser", auth) as page:
            await page.emit("save_file", {"message_id": "s-5", "filename": "new.blend"})
            assert (await page.until("command_failed"))["payload"]["error"]["code"] == "AUTH_ERROR"

    asyncio.run(scenario())
