"""The engine as a Blender meets it: each row of what was seen of the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import aiohttp
import pytest
from cr8_engine_stand_in import tokens

from tests.python.plain import (
    SECRET,
    USER,
    Plain,
    answer,
    assert_envelope,
    blender,
    browser,
    refused,
    token,
)
from tests.python.server import Server


@pytest.fixture(scope="module")
def remote() -> Iterator[Server]:
    """As the real one with rented computers: who connects needs a token."""
    with closing(Server(allowing=["--launch-mode", "remote"], secret=SECRET)) as server:
        server.start()
        yield server


@pytest.fixture(scope="module")
def local() -> Iterator[Server]:
    """As the real one on one computer: the name will do. With the real one's pings."""
    server = Server(ping_interval=90, ping_timeout=120, allowing=[], secret=SECRET)
    with closing(server):
        server.start()
        yield server


REFUSALS = {
    "no auth": (None, "nothing was given"),
    "no token": ({"username": USER}, "none was given"),
    "not a token": ({"token": "nonsense", "username": USER}, "not a JSON Web Token"),
    "expired": ({"token": token(lifetime=-1), "username": USER}, "the token has expired"),
    "another's": (
        {"token": tokens.mint("other", USER), "username": USER},
        "its signature is not ours",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_without_a_word(remote: Server, case: str) -> None:
    auth, reason = REFUSALS[case]

    async def scenario() -> None:
        async with browser(remote):
            told = await refused(Plain(remote.origin, "/blender", auth))
            assert reason not in told

    asyncio.run(scenario())
    last = remote.status()["history"][-1]
    assert last["what"] == "refused"
    assert reason in last["reason"]


def test_refused_as_long_as_no_browser_of_the_user_is_there(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote, "somebody else"):
            await refused(blender(remote))
        assert remote.history(USER)[-1] == ("refused", "no browser of this user is connected")
        async with browser(remote), blender(remote) as one:
            assert one.connected

    asyncio.run(scenario())


def test_a_token_names_the_user_whatever_else_is_said(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote), blender(remote, username="mallory"):
            assert [one["username"] for one in remote.status()["blenders"]] == [USER]

    asyncio.run(scenario())


def test_in_local_mode_the_name_will_do(local: Server) -> None:
    async def scenario() -> None:
        async with Plain(local.origin, "/browser", {"username": USER}):
            async with Plain(local.origin, "/blender", {"username": USER}) as one:
                assert one.connected
            await refused(Plain(local.origin, "/blender", {"blend_file_path": "/a.blend"}))
            # Whoever brings a token is asked for a good one.
            await refused(blender(local, token=token(lifetime=-1)))

    asyncio.run(scenario())


async def frames(server: Server, auth: dict[str, Any], count: int) -> list[str]:
    """The first ones that come over the websocket."""
    url = f"{server.origin}/ws/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        found = [str(await socket.receive_str(timeout=20))]
        await socket.send_str(f"40/blender,{json.dumps(auth)}")
        while len(found) < count:
            found.append(str(await socket.receive_str(timeout=20)))
    return found


def test_the_pings_are_the_real_ones(local: Server) -> None:
    (opened,) = asyncio.run(frames(local, {}, 1))
    facts = json.loads(opened[1:])
    assert (facts["pingInterval"], facts["pingTimeout"]) == (90_000, 120_000)


def test_the_welcome_comes_before_the_namespace_is_up(remote: Server) -> None:
    async def scenario() -> list[str]:
        async with browser(remote):
            return await frames(remote, {"token": token(), "username": USER}, 3)

    _, welcome, up = asyncio.run(scenario())
    assert welcome.startswith('42/blender,["blender_connected",')
    assert up.startswith('40/blender,{"sid":')


def test_a_browser_hears_of_its_blender_and_of_no_file(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote) as page, browser(remote, "bob") as other:
            created = assert_envelope(await page.until("session_created"), "session_created")
            assert created["data"] == {"username": USER}
            async with blender(remote, blend_file_path="/job.blend") as one:
                welcome = assert_envelope(await one.until("blender_connected"), "blender_connected")
                assert (welcome["status"], "data" in welcome) == ("connected", False)
                told = assert_envelope(await page.until("blender_connected"), "blender_connected")
                assert (told["status"], "data" in told) == ("connected", False)
            gone = assert_envelope(await page.until("blender_disconnected"), "blender_disconnected")
            assert gone["data"] == {"reason": remote.history(USER)[-1][1]}
            assert other.names() == ["session_created"]

    asyncio.run(scenario())


def test_a_second_blender_of_the_same_name_displaces_nobody(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote) as page, blender(remote) as older:
            async with blender(remote) as newer:
                await page.emit("command_sent", {"payload": {"command": "look"}})
                assert (await newer.until("command_received"))["command"] == "look"
                assert older.connected
                assert "command_received" not in older.names()
                assert len(remote.status()["blenders"]) == 2
            # The older one is still there, and no name leads to it.
            await page.until("blender_disconnected")
            await page.emit("command_sent", {"payload": {"command": "look"}})
            failed = assert_envelope(await page.until("command_failed"), "command_failed")
            assert failed["error"]["code"] == "BLENDER_DISCONNECTED"
            assert older.connected
            # Nor is it told of, or replaced.
            heard = len(page.heard)
            await page.emit("browser_ready", {"recovery": True})
            await page.emit("command_sent", {"payload": {}})
            await page.until("command_failed")
            assert len(page.heard) == heard + 1

    asyncio.run(scenario())


def test_the_registry_is_acknowledged(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote), blender(remote) as one:
            await one.emit("connection_status", {"status": "connected", "message": "hello"})
            await one.emit("registry_update", {"addons": []})
            assert (await one.until("registry_update_ack"))["status"] == "processed"

    asyncio.run(scenario())


@pytest.mark.parametrize(("ok", "event"), [(True, "command_completed"), (False, "command_failed")])
def test_a_command_and_its_answer(remote: Server, ok: bool, event: str) -> None:
    async def scenario() -> None:
        async with browser(remote) as page, blender(remote) as one:
            payload = {"addon_id": "cr8_sets", "command": "build", "params": {"floors": 3}}
            sent = {"message_id": "m-1", "payload": payload, "metadata": {"route": "direct"}}
            await page.emit("command_sent", sent)
            command = await one.until("command_received")
            assert command == {
                "type": "addon_command",
                "addon_id": "cr8_sets",
                "command": "build",
                "params": {"floors": 3},
                "message_id": "m-1",
                "metadata": {"route": "direct"},
            }
            said = answer(command, ok, {"height": 9})
            await one.emit(event, said)
            assert await page.until(event) == said

    asyncio.run(scenario())


def test_a_command_without_a_name_or_a_blender_fails_at_once(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote) as page:
            for payload, code in (
                ({}, "VALIDATION_ERROR"),
                ({"command": "x"}, "BLENDER_DISCONNECTED"),
            ):
                await page.emit("command_sent", {"message_id": "m-2", "payload": payload})
                failed = await page.until("command_failed")
                assert failed["message_id"] == "m-2"
                assert failed["payload"]["error"]["code"] == code

    asyncio.run(scenario())


@pytest.mark.parametrize("ok", [True, False])
def test_the_agent_waits_until_a_good_or_a_bad_answer_comes(remote: Server, ok: bool) -> None:
    async def scenario() -> None:
        async with browser(remote) as page, blender(remote) as one:
            await page.emit("agent_query_sent", {"message_id": "q", "payload": {"message": "look"}})
            command = await one.until("command_received")
            assert command["metadata"]["route"] == "agent"
            await one.emit(
                "command_completed" if ok else "command_failed", answer(command, ok, {"seen": 1})
            )
            ready = await page.until("agent_response_ready")
            assert assert_envelope(ready, "agent_response_ready")["data"]["context"] == {"seen": 1}
            # An agent's answer is nothing that the page is told as a command's.
            assert "command_completed" not in page.names()

    asyncio.run(scenario())


def test_an_event_that_nobody_knows_is_kept_and_answered_by_nothing(remote: Server) -> None:
    async def scenario() -> None:
        async with browser(remote) as page, blender(remote) as one:
            await one.emit("cleanup_report", {"id": "1", "safe": True})
            await one.emit("registry_update", {})
            await one.until("registry_update_ack")
            assert "cleanup_report_received" not in one.names()
            assert "cleanup_report" not in page.names()

    asyncio.run(scenario())
    assert remote.status()["events"][-2]["event"] == "cleanup_report"


def test_with_the_extension_clients_are_told_so_and_reports_are_received() -> None:
    allowing = ["--launch-mode", "remote", "--extension"]

    async def scenario(server: Server) -> None:
        async with browser(server) as page:
            created = (await page.until("session_created"))["payload"]["data"]
            assert created["lifeline"]["version"] == 1
            assert "lifeline_settings" in created["lifeline"]["events"]
            await page.until("lifeline_settings")
            async with blender(server, blend_file_path="/job.blend") as one:
                welcome = (await one.until("blender_connected"))["payload"]["data"]
                assert "cleanup_report" in welcome["lifeline"]["events"]
                told = (await page.until("blender_connected"))["payload"]["data"]
                assert told["blend_file_path"] == "/job.blend"
                await one.emit("cleanup_report", {"id": "1", "safe": True})
                assert await one.until("cleanup_report_received") == {"id": "1"}
                assert await page.until("cleanup_report") == {"id": "1", "safe": True}

    with closing(Server(allowing=allowing, secret=SECRET)) as server:
        server.start()
        asyncio.run(scenario(server))
