"""Real connections to the stand-in engine, which is killed and comes back."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO

from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile

from lifeline_bench.errors import BenchError
from lifeline_bench.site import Site

CONNECT_SECONDS = 120.0
RETURN_SECONDS = 120.0


@dataclass(frozen=True)
class Return:
    """What came of it. Times in seconds, since the return where nothing else is said.

    outage: from the first client's loss. noticed_within: from the first loss to the last.
    attempts: in each second since the return. accepted_95: when 95 % had made the attempt that
    succeeded, back_95: when they were connected; None: not all came back. connects: how many the
    server accepted in a second when all connected for the first time, a few at once.
    """

    clients: int
    outage: float
    noticed_within: float
    attempts: list[int]
    accepted_95: float | None
    back_95: float | None
    returned: int
    connects: float

    @property
    def peak(self) -> int:
        return max(self.attempts, default=0)


def play(site: Site, algorithm: str, clients: int, outage: float) -> Return:
    """algorithm: `policy` or `socketio`. outage: seconds. Raises BenchError."""
    profile = Profile(site.scratch / f"fleet-{algorithm}", addon=False)
    # The real engine's pings: none falls into it.
    engine = Engine(profile, ping_interval=90, ping_timeout=120, blenders=False)
    with engine, _Clients(site, algorithm, clients, engine) as fleet:
        connects = clients / float(fleet.line("connected", CONNECT_SECONDS).split()[1])
        engine.kill()
        time.sleep(outage)
        engine.start()
        returned_at = time.monotonic()
        told = json.loads(fleet.line("a result", RETURN_SECONDS))
    return judge(told, returned_at, clients, connects)


def judge(
    told: dict[str, list[float]], returned_at: float, clients: int, connects: float
) -> Return:
    lost = min(told["lost"])
    # The server listens a moment before it has said so: who comes first may be accepted already.
    since = min([returned_at, *told["accepted"]])
    attempts: list[int] = []
    for at in told["attempts"]:
        if at >= since:
            second = int(at - since)
            attempts += [0] * (second + 1 - len(attempts))
            attempts[second] += 1
    return Return(
        clients=clients,
        outage=since - lost,
        noticed_within=max(told["lost"]) - lost,
        attempts=attempts,
        accepted_95=_share(told["accepted"], clients, since),
        back_95=_share(told["back"], clients, since),
        returned=len(told["back"]),
        connects=connects,
    )


def _share(instants: list[float], clients: int, since: float) -> float | None:
    needed = -(-clients * 95 // 100)
    return sorted(instants)[needed - 1] - since if len(instants) >= needed else None


class _Clients:
    """The process that they are in."""

    def __init__(self, site: Site, algorithm: str, clients: int, engine: Engine) -> None:
        search = os.pathsep.join([str(site.packages), os.environ.get("PYTHONPATH", "")])
        arguments = [algorithm, str(site.five_minutes), str(clients), str(engine.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lifeline_bench.competitors.fleet_clients", *arguments],
            env={**os.environ, "PYTHONPATH": search, "CR8_AUTH_TOKEN": engine.token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        assert self._process.stdout is not None
        threading.Thread(
            target=_read, args=(self._process.stdout, self._lines), daemon=True
        ).start()

    def line(self, what: str, timeout: float) -> str:
        """The next one. Raises BenchError."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise BenchError(f"the clients: not {what} within {timeout:.0f} s") from None
        if not line:
            raise BenchError(f"the clients ended before {what}; see above")
        return line

    def __enter__(self) -> _Clients:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()


def _read(stream: IO[str], lines: queue.Queue[str]) -> None:
    """An empty line: the end."""
    for line in stream:
        lines.put(line)
    lines.put("")
