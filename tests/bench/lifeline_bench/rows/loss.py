"""How soon a lost server is known: killed, stopped, frozen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile

from lifeline_bench.clients import PEER_NAME, both_connected
from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import Sample
from lifeline_bench.site import Site

TITLE = "A lost server, from the signal to who was connected knowing it"

_ROUNDS = 7
# The real engine's.
PING_INTERVAL = 90.0
PING_TIMEOUT = 120.0
_NOTICED_SECONDS = 5.0
_FROZEN_SECONDS = 15.0
# Longer than a silent line is asked often with the default settings.
_IDLE_SECONDS = 45.0
_KILLED_LIMIT_MS = 10.0
_STOPPED_LIMIT_MS = 100.0
_FROZEN_LIMIT_S = 10.0

_FROZEN_NOTE = (
    f"Frozen: the server pings every {PING_INTERVAL:g} s and waits {PING_TIMEOUT:g} s. With the "
    "default settings a line that has been without traffic for longer (15 to 30 s) is left to its "
    "pings, as the peer's; docs/frozen-server.md says why."
)
_BY_SETTINGS = (
    f" Who had not noticed after {_FROZEN_SECONDS:g} s was not waited for: its figure is interval "
    "and time-out, less what had passed since it was connected."
)


def measure(site: Site) -> list[Figure]:
    profile = Profile(site.scratch / "loss", addon=False)
    engine = Engine(profile, ping_interval=PING_INTERVAL, ping_timeout=PING_TIMEOUT, blenders=False)
    figures = []
    with engine:
        for what, limit, lose in (
            ("killed", _KILLED_LIMIT_MS, engine.kill),
            ("stopped", _STOPPED_LIMIT_MS, engine.stop),
        ):
            site.tell(f"{what}, {_ROUNDS} times")
            ours, peer = _rounds(site, engine, lose)
            figures.append(
                Figure(
                    row="loss",
                    what=what,
                    unit="ms",
                    ours=ours.median,
                    peer=peer.median,
                    peer_name=PEER_NAME,
                    goal=Bound(limit),
                    spread=ours.spread,
                    note="Both connected to the same server at once.",
                )
            )
        site.tell("frozen")
        figures.append(_frozen(site, engine, "frozen a moment after it was connected to"))
        site.tell(f"frozen after {_IDLE_SECONDS:g} idle seconds")
        idle = f"frozen after {_IDLE_SECONDS:g} s without traffic, CR8_PROBE_EVERY=3"
        figures.append(_frozen(site, engine, idle, _IDLE_SECONDS, {"CR8_PROBE_EVERY": "3"}))
    return figures


def _rounds(site: Site, engine: Engine, lose: Callable[[], None]) -> tuple[Sample, Sample]:
    """Milliseconds: ours, and the peer's."""
    noticed: tuple[list[float], list[float]] = [], []
    for _round in range(_ROUNDS):
        both = both_connected(site, engine.line)
        try:
            begun = time.monotonic()
            lose()
            for client, values in zip(both, noticed, strict=True):
                lost_at = client.lost_at(_NOTICED_SECONDS)
                if lost_at is None:
                    raise BenchError(f"not noticed within {_NOTICED_SECONDS:g} s")
                values.append((lost_at - begun) * 1e3)
        finally:
            for client in both:
                client.close()
        engine.start()
    ours, peer = noticed
    return Sample(tuple(ours)), Sample(tuple(peer))


def _frozen(
    site: Site,
    engine: Engine,
    what: str,
    idle: float = 0.0,
    settings: Mapping[str, str] | None = None,
) -> Figure:
    both = both_connected(site, engine.line, settings)
    time.sleep(idle)
    seconds = []
    by_settings = False
    try:
        begun = time.monotonic()
        engine.freeze()
        for client in both:
            lost_at = client.lost_at(max(0.0, begun + _FROZEN_SECONDS - time.monotonic()))
            if lost_at is not None:
                seconds.append(lost_at - begun)
                continue
            # Known by the server's settings, which both were told: waiting would show nothing new.
            seconds.append(PING_INTERVAL + PING_TIMEOUT - (begun - client.connected_at))
            by_settings = True
    finally:
        engine.thaw()
        for client in both:
            client.close()
    return Figure(
        row="loss",
        what=what,
        unit="s",
        ours=seconds[0],
        peer=seconds[1],
        peer_name=PEER_NAME,
        goal=Bound(_FROZEN_LIMIT_S),
        note=_FROZEN_NOTE + (_BY_SETTINGS if by_settings else ""),
    )
