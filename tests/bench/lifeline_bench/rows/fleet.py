"""100,000 Blenders and a server that is back: how many come at once, and how long it takes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

from lifeline_bench import real_fleet
from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.real_fleet import Return
from lifeline_bench.site import Site

TITLE = "100,000 clients, and the server returns: attempts in a second, and time to 95 %"
CLIENTS = 100_000
MOMENTS = 60
# Enough for a histogram, and what one server process and one client process bear on two cores.
REAL_CLIENTS = 2_000
# Within the countdown, which begins after 34 s.
REAL_OUTAGE_SECONDS = 50.0
PEER = "python-socketio's own algorithm, without a limit to its attempts"
ALGORITHMS = {"policy": "ours", "socketio": "python-socketio's"}


def measure(site: Site) -> list[Figure]:
    site.tell(f"simulated: {CLIENTS} clients, {MOMENTS} moments of return")
    told = simulate(site, clients=CLIENTS, moments=MOMENTS)["moments"]["countdown"]
    return [*simulated(told), *check(site)]


def simulate(
    site: Site, *, clients: int, words: Sequence[str] = (), **options: float
) -> dict[str, Any]:
    """`lifeline fleet --json`, with further words and options. Raises BenchError."""
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [str(site.command), "fleet", str(site.five_minutes), f"--clients={clients}", "--json"]
    try:
        done = subprocess.run(
            [*command, *words, *named],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=300,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchError(f"lifeline fleet: {error}") from error
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def simulated(told: dict[str, Any]) -> list[Figure]:
    """The countdown's figures. What a server must be built for is the worst moment of return."""
    ours, peer = told["policy"], told["python_socketio"]
    span = f"{told['returns']} moments of return, {told['from_s']:.0f} to {told['to_s']:.0f} s"
    median_peak = peer["peak_per_s"]["median"]
    least = 0.95 * CLIENTS / peer["back_95_s"]["median"]
    arithmetic = (
        f"A third of the peer's median peak, {median_peak / 3:,.0f}/s, and its median time to "
        f"95 %, {peer['back_95_s']['median']:.1f} s, exclude each other: 95 % in that time are "
        f"{least:,.0f}/s on average. The peer's waves make some moments quick and all peaks high."
    )
    return [
        Figure(
            row="fleet",
            what="most attempts in a second, worst moment",
            unit="/s",
            ours=ours["peak_per_s"]["worst"],
            peer=peer["peak_per_s"]["worst"],
            peer_name=PEER,
            ratio_goal=Bound(3, at_least=True),
            note=f"Simulated, {CLIENTS:,} clients, {span} after the loss, within the countdown. "
            "During the first attempts (34 s) both go by the same formula.",
        ),
        Figure(
            row="fleet",
            what="95 % are back, worst moment",
            unit="s",
            ours=ours["back_95_s"]["worst"],
            peer=peer["back_95_s"]["worst"],
            peer_name=PEER,
            ratio_goal=Bound(1, at_least=True),
        ),
        Figure(
            row="fleet",
            what="most attempts in a second, median moment",
            unit="/s",
            ours=ours["peak_per_s"]["median"],
            peer=median_peak,
            peer_name=PEER,
            note=arithmetic,
        ),
        Figure(
            row="fleet",
            what="95 % are back, median moment",
            unit="s",
            ours=ours["back_95_s"]["median"],
            peer=peer["back_95_s"]["median"],
            peer_name=PEER,
            ratio_goal=Bound(1, at_least=True),
        ),
    ]


def check(site: Site) -> list[Figure]:
    """Real connections, and the simulation of the same outage beside them."""
    figures = []
    for algorithm, whose in ALGORITHMS.items():
        site.tell(f"{REAL_CLIENTS} real connections, {whose} attempts; two minutes")
        real = real_fleet.play(site, algorithm, REAL_CLIENTS, REAL_OUTAGE_SECONDS)
        figures += compare(site, algorithm, whose, real)
    return figures


def compare(site: Site, algorithm: str, whose: str, real: Return) -> list[Figure]:
    """The peer is the simulation here: both should say the same. Raises BenchError."""
    if real.accepted_95 is None or real.back_95 is None:
        raise BenchError(f"{whose}: only {real.returned} of {real.clients} came back")
    told = simulate(
        site,
        clients=real.clients,
        outage=round(real.outage, 3),
        noticed_within=round(real.noticed_within, 3),
    )["policy" if algorithm == "policy" else "python_socketio"]
    simulation = "the simulation of the same outage"
    note = (
        f"{real.clients:,} real connections to the stand-in engine under uvicorn, which took "
        f"{real.connects:,.0f} new ones in a second before; away for {real.outage:.0f} s; "
        f"95 % were connected {real.back_95:.1f} s after the return."
    )
    return [
        Figure(
            row="fleet",
            what=f"check with real connections, {whose}: most attempts in a second",
            unit="/s",
            ours=real.peak,
            peer=told["peak_after_return"]["attempts_per_s"],
            peer_name=simulation,
            note=note,
        ),
        Figure(
            row="fleet",
            what=f"check with real connections, {whose}: 95 % have made it",
            unit="s",
            ours=real.accepted_95,
            peer=told["back_after_s"]["95"],
            peer_name=simulation,
        ),
    ]
