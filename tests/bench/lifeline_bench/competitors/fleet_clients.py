"""Many clients with real connections: `python -m … fleet_clients ALGORITHM POLICY CLIENTS PORT`.

ALGORITHM: `policy`, whose decisions are asked for live, or `socketio`, python-socketio's own. The
server's token comes in CR8_AUTH_TOKEN. One line says that all are connected. Then the server goes
away and comes back; the last line is JSON: when each noticed, tried, and was back (seconds of the
monotonic clock, which all processes of a computer share).

They speak just enough of Engine.IO to be a session: with a whole client library each, 2,000 of
them would be busier than the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

# Connecting before the outage; the server is not what is measured then.
AT_ONCE: Final = 20
PATIENCE_SECONDS: Final = 90.0
ATTEMPT_SECONDS: Final = 10.0
TEXT: Final = 0x81
MASKED: Final = 0x80
LENGTH_OF_16_BITS: Final = 126
# Of delays, as in python-socketio itself.
CHANCE: Final = random.SystemRandom()
PING: Final = b"2"
PONG: Final = b"3"
SWITCHING: Final = b" 101 "


class Algorithm(Protocol):
    """When a client tries. Instants are seconds of the monotonic clock."""

    def lost(self, now: float) -> float: ...

    def failed(self, now: float) -> float: ...


class SocketIo:
    """`AsyncClient._handle_reconnect` of python-socketio 5.18, with the delays of our settings and
    no limit to its attempts."""

    def __init__(self) -> None:
        self._delay = 2.0

    def lost(self, now: float) -> float:
        return self._next(now)

    def failed(self, now: float) -> float:
        return self._next(now)

    def _next(self, now: float) -> float:
        delay = self._delay
        self._delay *= 2
        delay = min(delay, 10.0)
        return now + delay + 0.5 * (2 * CHANCE.random() - 1)


class ByPolicy:
    """What a policy decides. It is ticked when it asks for it, until it wants to connect."""

    def __init__(self, policy: Any, epoch: float) -> None:
        self._policy = policy
        self._epoch = epoch
        now = self._millis(epoch)
        connecting = policy.start(now, entropy=CHANCE.getrandbits(64))
        self._state = policy.on_connect(connecting.state, now).state

    def lost(self, now: float) -> float:
        return self._next("on_disconnect", now, "transport-error")

    def failed(self, now: float) -> float:
        return self._next("on_connect_error", now, "unreachable")

    def _next(self, function: str, now: float, why: str) -> float:
        at = self._millis(now)
        ask = getattr(self._policy, function)
        decision = ask(self._state, at, why, entropy=CHANCE.getrandbits(64))
        while "connect" not in decision.actions:
            # Nothing happens in between: it can be asked ahead of time.
            at = max(decision.wake_at, at + 1)
            decision = self._policy.tick(decision.state, at, due=at, entropy=CHANCE.getrandbits(64))
        self._state = decision.state
        return self._epoch + at / 1_000

    def _millis(self, now: float) -> int:
        return round((now - self._epoch) * 1_000)


class Session:
    """A connection that the server has accepted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, username: str, token: str) -> Session:
        """Raises OSError, also if there is no answer in time, or another one."""
        try:
            return await asyncio.wait_for(cls._open(port, username, token), ATTEMPT_SECONDS)
        except asyncio.TimeoutError as error:
            raise ConnectionError("no answer") from error

    @classmethod
    async def _open(cls, port: int, username: str, token: str) -> Session:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            session = cls(reader, writer)
            await session._begin(port, username, token)
        except BaseException:
            writer.close()
            raise
        return session

    async def _begin(self, port: int, username: str, token: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._writer.write(
            f"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            if SWITCHING not in head.split(b"\r\n", 1)[0] + b" ":
                raise ConnectionError("no WebSocket")
            await self._frame()  # the session's settings
            auth = {"token": token, "username": username, "blend_file_path": None}
            self._send(f"40/blender,{json.dumps(auth)}".encode())
            if not (await self._frame()).startswith(b"40/blender,"):
                raise ConnectionError("refused")
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("cut off") from error

    async def stay(self) -> None:
        """Until it is lost."""
        try:
            while True:
                if await self._frame() == PING:
                    self._send(PONG)
        except (OSError, asyncio.IncompleteReadError):
            self._writer.close()

    async def _frame(self) -> bytes:
        _, length = await self._reader.readexactly(2)
        if length == LENGTH_OF_16_BITS:
            length = int.from_bytes(await self._reader.readexactly(2), "big")
        return await self._reader.readexactly(length)

    def _send(self, payload: bytes) -> None:
        size = len(payload)
        head = bytes([TEXT, MASKED | size])
        if size >= LENGTH_OF_16_BITS:
            head = bytes([TEXT, MASKED | LENGTH_OF_16_BITS]) + size.to_bytes(2, "big")
        # A mask of zeros changes nothing.
        self._writer.write(head + bytes(4) + payload)


class Fleet:
    """All of them, on one event loop."""

    def __init__(self, clients: int, port: int, token: str) -> None:
        self._clients = clients
        self._port = port
        self._token = token
        self._connected = asyncio.Semaphore(AT_ONCE)
        self._remaining = clients
        self._all_connected = asyncio.Event()
        self._lost: list[float] = []
        self._attempts: list[float] = []
        self._accepted: list[float] = []
        self._back: list[float] = []

    async def run(self, algorithm: Callable[[], Algorithm]) -> dict[str, Any]:
        begun = time.monotonic()
        staying = [
            asyncio.create_task(self._client(number, algorithm()))
            for number in range(self._clients)
        ]
        await self._all_connected.wait()
        seconds = time.monotonic() - begun
        print(f"connected {seconds:.3f}", flush=True)
        while not self._lost:
            await asyncio.sleep(0.05)
        end = time.monotonic() + PATIENCE_SECONDS
        while len(self._back) < self._clients and time.monotonic() < end:
            await asyncio.sleep(0.1)
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)
        return {
            "lost": self._lost,
            "attempts": self._attempts,
            "accepted": self._accepted,
            "back": self._back,
        }

    async def _client(self, number: int, algorithm: Algorithm) -> None:
        username = f"user-{number}"
        async with self._connected:
            session = await Session.open(self._port, username, self._token)
        self._remaining -= 1
        if not self._remaining:
            self._all_connected.set()
        await session.stay()
        now = time.monotonic()
        self._lost.append(now)
        due = algorithm.lost(now)
        while True:
            await asyncio.sleep(due - time.monotonic())
            tried = time.monotonic()
            self._attempts.append(tried)
            try:
                session = await Session.open(self._port, username, self._token)
            except OSError:
                due = algorithm.failed(time.monotonic())
                continue
            self._accepted.append(tried)
            self._back.append(time.monotonic())
            await session.stay()
            return


def _algorithm(name: str, policy: str) -> Callable[[], Algorithm]:
    if name == "socketio":
        return SocketIo
    # The other algorithm does without.
    from cr8_lifeline import Policy

    loaded, epoch = Policy(policy), time.monotonic()
    return lambda: ByPolicy(loaded, epoch)


def main() -> None:
    name, policy, clients, port = sys.argv[1:]
    token = os.environ.pop("CR8_AUTH_TOKEN")

    async def run() -> dict[str, Any]:
        return await Fleet(int(clients), int(port), token).run(_algorithm(name, policy))

    print(json.dumps(asyncio.run(run())), flush=True)


if __name__ == "__main__":
    main()
