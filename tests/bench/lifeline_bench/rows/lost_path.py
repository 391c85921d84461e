"""How soon a server is known to be lost that something stands before, or whose host is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lifeline_harness.balanced import Balancer
from lifeline_harness.engine import Engine
from lifeline_harness.profile import Profile

from lifeline_bench.clients import PEER_NAME, both_connected
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.networks import THEIR_ADDRESS, Networks
from lifeline_bench.rows.loss import PING_INTERVAL, PING_TIMEOUT
from lifeline_bench.site import Site

TITLE = "A lost server behind nginx, and one whose host is gone, until who was connected knows it"

_WAIT_SECONDS = 15.0
_LIMIT_S = 10.0

_NOTE = (
    f"Two network namespaces joined by a cable; the server pings every {PING_INTERVAL:g} s and "
    f"waits {PING_TIMEOUT:g} s. Each is lost a moment after it was connected to. Who had not "
    f"noticed after {_WAIT_SECONDS:g} s was not waited for: its figure is interval and time-out, "
    "less what had passed since it was connected."
)
_BEFORE = (
    "As long as the connection was the crate's own, and a failure to reach the host counted as "
    "unclear, an engine whose host was gone was noticed after 204 s."
)


class _Case(NamedTuple):
    what: str
    lose: Callable[[], None]
    through_nginx: bool
    mend: Callable[[], None]


def measure(site: Site) -> list[Figure]:
    with Networks() as networks:
        engine = Engine(
            Profile(site.scratch / "lost-path", addon=False),
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            blenders=False,
            options=["--host", "0.0.0.0"],  # noqa: S104 - all that this network has
            prefix=networks.theirs.prefix,
        )
        address = f"{THEIR_ADDRESS}:{engine.port}"
        with Balancer(site.scratch / "nginx", [address], networks.ours.prefix) as balancer:
            cases = (
                _Case("killed, behind nginx", engine.kill, True, _nothing),
                _Case("stopped, behind nginx", engine.stop, True, _nothing),
                _Case("frozen, behind nginx", engine.freeze, True, engine.thaw),
                _Case("a black hole behind nginx", networks.black_hole, True, networks.mend),
                _Case("a black hole", networks.black_hole, False, networks.mend),
                _Case("its host gone: no ARP answer", networks.host_gone, False, networks.mend),
            )
            figures = []
            for case in cases:
                site.tell(case.what)
                url = balancer.url if case.through_nginx else f"ws://{address}"
                with engine:
                    figures.append(_measured(site, networks, engine, url, case))
            return figures


def _nothing() -> None:
    """The next case starts the engine anew."""


def _measured(site: Site, networks: Networks, engine: Engine, url: str, case: _Case) -> Figure:
    def line(user: str) -> Mapping[str, str]:
        return {**engine.line(user), "WS_URL": url}

    both = both_connected(site, line, prefix=networks.ours.prefix)
    seconds = []
    try:
        begun = time.monotonic()
        case.lose()
        for client in both:
            lost_at = client.lost_at(max(0.0, begun + _WAIT_SECONDS - time.monotonic()))
            known = PING_INTERVAL + PING_TIMEOUT - (begun - client.connected_at)
            seconds.append(known if lost_at is None else lost_at - begun)
    finally:
        case.mend()
        for client in both:
            client.close()
    return Figure(
        row="lost-path",
        what=case.what,
        unit="s",
        ours=seconds[0],
        peer=seconds[1],
        peer_name=PEER_NAME,
        goal=Bound(_LIMIT_S),
        note=f"{_NOTE} {_BEFORE}",
    )
