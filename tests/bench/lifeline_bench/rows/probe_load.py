"""What it costs a server to be asked whether it lives: `python probe_load.py` prints the figures.

Clients that are connected and idle, and askings that come far enough apart for the server to
sleep in between, as they would. They go to the stand-in engine in a process of its own, and the
time that it spends on a processor is read with and without askings, in turn. So is what an event
costs it: two thousand of them allow one more asking.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import secrets
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import socketio
from cr8_lifeline import settings_table

ENGINE: Final = Path(__file__).resolve().parents[3] / "engine"
ENGINE_COMMAND: Final = (sys.executable, "-m", "cr8_engine_stand_in", "--without-browser")
FLEET: Final = 10_000
CLIENTS: Final = 500
ROUNDS: Final = 7
WINDOW_SECONDS: Final = 6.0
RATE: Final = 50
# Out of the windows: what 500 of them cost is more than what is measured.
PING_SECONDS: Final = 3600
MANY: Final = 1_000
# One silence of a line that is asked, all the time: what no bound would mean.
UNBOUNDED_SECONDS: Final = 4.0
# host/lifeline/src/link/bucket.rs: so many events bring a token back.
EVENTS_PER_PROBE: Final = 2_000
CONNECTING_AT_ONCE: Final = 20
DESCRIPTORS: Final = 8192


def measure() -> dict[str, float]:
    """Times in seconds, of the server; shares are of one core."""
    every = float(next(row["default"] for row in settings_table() if row["name"] == "probe_every"))
    _raise_limit()
    with _engine() as (pid, port, token):
        bounded, unbounded, event = asyncio.run(_figures(pid, port, token))
    return {
        "fleet": FLEET,
        "clients": CLIENTS,
        "probe_every": every,
        "probes_per_second": FLEET / every,
        "seconds_per_probe": bounded,
        "share_of_fleet": FLEET / every * bounded,
        "unbounded_probes_per_second": FLEET / UNBOUNDED_SECONDS,
        "seconds_per_probe_when_busy": unbounded,
        "share_of_fleet_unbounded": FLEET / UNBOUNDED_SECONDS * unbounded,
        "seconds_per_event": event,
        "share_of_traffic": unbounded / (EVENTS_PER_PROBE * event),
    }


async def _figures(pid: int, port: int, token: str) -> tuple[float, float, float]:
    """Seconds per probe now and then, per probe of many at once, and per event of many at once."""
    clients = await _clients(port, token)
    try:
        bounded, unbounded, event = [], [], []
        for _ in range(ROUNDS):
            idle = await _used(pid, port, 0, WINDOW_SECONDS)
            count = round(RATE * WINDOW_SECONDS)
            asked = await _used(pid, port, count, WINDOW_SECONDS)
            bounded.append((asked - idle) / count)
            unbounded.append(await _used(pid, port, MANY, 0.0) / MANY)
            event.append(await _used_by_events(pid, port, clients) / MANY)
        return statistics.median(bounded), statistics.median(unbounded), statistics.median(event)
    finally:
        for client in clients:
            await client.disconnect()


async def _used(pid: int, port: int, probes: int, seconds: float) -> float:
    """Processor time of the server, asked so often, evenly over so long."""
    loop = asyncio.get_running_loop()
    begun, before = loop.time(), _processor_time(pid)
    for number in range(probes):
        await asyncio.sleep(begun + number * seconds / probes - loop.time())
        await _ask(port)
    await asyncio.sleep(begun + seconds - loop.time())
    return _processor_time(pid) - before


async def _used_by_events(pid: int, port: int, clients: list[socketio.AsyncClient]) -> float:
    """Processor time of the server for events of clients in turn."""
    before = _processor_time(pid)
    for number in range(MANY):
        data = {"frame": number}
        await clients[number % CLIENTS].emit("progress", data, namespace="/blender")
    # Answered after them, since it came after them.
    await _ask(port)
    return _processor_time(pid) - before


async def _ask(port: int) -> None:
    """As `host/lifeline/src/link/probe.rs` does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    query = f"EIO=4&transport=probe&t={secrets.randbits(64):x}"
    head = f"GET /ws/socket.io/?{query} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 400 " in answer, answer
    writer.close()


async def _clients(port: int, token: str) -> list[socketio.AsyncClient]:
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(number: int) -> socketio.AsyncClient:
        client = socketio.AsyncClient(reconnection=False)
        auth = {"token": token, "username": f"user-{number}", "blend_file_path": ""}
        async with gate:
            await client.connect(
                f"http://127.0.0.1:{port}",
                auth=auth,
                namespaces=["/blender"],
                transports=["websocket"],
                socketio_path="/ws/socket.io/",
                wait_timeout=60,
            )
        return client

    return await asyncio.gather(*(connect(number) for number in range(CLIENTS)))


@contextmanager
def _engine() -> Iterator[tuple[int, int, str]]:
    token = secrets.token_hex(16)
    process = subprocess.Popen(
        [*ENGINE_COMMAND, "--ping-interval", str(PING_SECONDS)],
        env={**os.environ, "CR8_ENGINE_TOKEN": token, "PYTHONPATH": str(ENGINE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.pid, int(json.loads(process.stdout.readline())["port"]), token
    finally:
        process.kill()
        process.communicate()


def _processor_time(pid: int) -> float:
    """User and system time of all threads, to the nanosecond: `stat` counts hundredths."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9


def _raise_limit() -> None:
    """Each client is a descriptor, here and in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
