"""An engine that lets nobody in without a browser of the user, or with a token of before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from cr8_engine_stand_in import tokens
from lifeline_harness.waiting import wait_until

from tests.python.conftest import MakeLine
from tests.python.plain import SECRET, USER, browser
from tests.python.recorder import Recorder
from tests.python.server import Server

PATIENT = {"retry_attempts": 100, "retry_delay": 0.2, "retry_delay_max": 0.5}
LIFETIME = 5.0


@pytest.fixture
def remote() -> Iterator[Server]:
    """As the real one, but for its greeting."""
    allowing = ("--launch-mode", "remote", "--no-welcome")
    with closing(Server(allowing=allowing, secret=SECRET)) as server:
        server.start()
        yield server


def wait_refused(server: Server, recorder: Recorder, reason: str) -> None:
    def refused() -> bool:
        recorder.poll()
        return any(what == "refused" and (why or "").endswith(reason) for what, why in _all(server))

    wait_until(f"a refusal: {reason}", refused, 30.0)
    wait_until("it is told", lambda: recorder.line.status()["refusal"] is not None, 30.0)


def _all(server: Server) -> list[tuple[str, str | None]]:
    return [(one["what"], one["reason"]) for one in server.status()["history"]]


def test_the_browser_comes_later(remote: Server, make_line: MakeLine) -> None:
    token = tokens.mint(SECRET, USER)
    recorder = make_line(remote.url, username=USER, token=token, **PATIENT)
    recorder.line.connect()
    wait_refused(remote, recorder, "no browser of this user is connected")

    async def scenario() -> None:
        async with browser(remote):
            await asyncio.to_thread(recorder.until, "connected")

    asyncio.run(scenario())
    assert "countdown" not in recorder.kinds()


def test_a_token_that_has_expired_meanwhile(remote: Server, make_line: MakeLine) -> None:
    token = tokens.mint(SECRET, USER, LIFETIME)
    expires = time.time() + LIFETIME

    async def scenario() -> Recorder:
        async with browser(remote):
            recorder = make_line(remote.url, username=USER, token=token, **PATIENT)
            recorder.line.connect()
            await asyncio.to_thread(recorder.until, "connected")
            await asyncio.sleep(max(0.0, expires + 1 - time.time()))
            # As after a restart of the engine: it lives, and does not know the Blender any more.
            remote.say_goodbye(USER)
            await asyncio.to_thread(wait_refused, remote, recorder, "the token has expired")
            return recorder

    recorder = asyncio.run(scenario())
    assert token not in recorder.log()
