"""What it costs to ask for events when there are none, and how often Blender is woken for it."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable
from pathlib import Path

from cr8_lifeline import Lifeline
from lifeline_harness.blender import Blender
from lifeline_harness.waiting import wait_until

from lifeline_bench.figure import Bound, Figure
from lifeline_bench.original import EARLIER, NEWEST, connect_and_drain
from lifeline_bench.repeat import Sample, in_turn
from lifeline_bench.site import Site
from lifeline_bench.stage import Stage, stage

TITLE = "Asking for events when there are none, and wake-ups of an idle, connected Blender"

_ROUNDS = 15
_CALLS = 100_000
_POLL_LIMIT_NS = 1_000.0
_WATCHED_SECONDS = 20.0
# An earlier one is quick at first; ours after an event, as the server sends at the connection.
_SETTLING_SECONDS = 32.0
_WAKE_UPS = 1.0
_THREAD_WAKE_UPS = 2.0
# What a count over 20 s may be off by.
_SLACK = 0.06

_COUNTED = """
import builtins
builtins.ticks, register = 0, bpy.app.timers.register

def counting(function, **how):
    def tick():
        builtins.ticks += 1
        return function()
    wrapped[function] = tick
    return register(tick, **how)

wrapped, is_registered = {}, bpy.app.timers.is_registered
bpy.app.timers.register = counting
bpy.app.timers.is_registered = lambda one: one in wrapped and is_registered(wrapped[one])
"""
_OURS = """
import addon_utils
addon_utils.enable("cr8_router", default_set=True)
"""
_TICKS = "import builtins, time; result = [builtins.ticks, time.monotonic()]"


def measure(site: Site) -> list[Figure]:
    with stage(site) as where:
        nanoseconds = _calls(where)
        a_second = _wake_ups(where)
    ours, peer = nanoseconds["ours"], nanoseconds["peer"]
    return [
        Figure(
            row="polling",
            what="a call with nothing to do",
            unit="ns",
            ours=ours.median,
            peer=peer.median,
            peer_name="the original's drain: get_nowait, and Empty",
            goal=Bound(_POLL_LIMIT_NS),
            spread=ours.spread,
            note=f"From Python, connected; the mean of {_CALLS:,} calls each time.",
        ),
        *(
            Figure(
                row="polling",
                what=f"wake-ups of the main thread; the peer's drain {drain.pace}",
                unit="per s",
                ours=a_second["ours"],
                peer=a_second[drain.name],
                peer_name=drain.name,
                goal=Bound(_WAKE_UPS + _SLACK),
                note=f"Timers' calls in a Blender with a window, over {_WATCHED_SECONDS:g} s in "
                "which nothing is said. After an event ours looks 100 times a second for 5 s, then "
                "10 times for 25 s.",
            )
            for drain in (NEWEST, EARLIER)
        ),
        Figure(
            row="polling",
            what="wake-ups of all other threads together",
            unit="per s",
            ours=a_second[_threads_of("ours")],
            peer=a_second[_threads_of(NEWEST.name)],
            peer_name=f"python-socketio's client, {NEWEST.name}",
            goal=Bound(_THREAD_WAKE_UPS),
            note="Context switches of the threads that were not there before the connection was "
            "made, in the same Blenders and seconds.",
        ),
    ]


def _calls(where: Stage) -> dict[str, Sample]:
    """Nanoseconds a call."""
    line = Lifeline(
        {
            "server_url": where.engine.url,
            "username": "polling",
            "token": where.engine.token,
            "policy_cache": "off",
        }
    )
    waiting: queue.Queue[object] = queue.Queue()

    def drain() -> float:
        while True:
            try:
                waiting.get_nowait()
            except queue.Empty:
                break
        return 0.1

    try:
        line.connect()
        wait_until("a connected line", lambda: line.status()["connected"], 10)
        time.sleep(0.5)
        line.poll()
        competitors = {"ours": lambda: _mean(line.poll), "peer": lambda: _mean(drain)}
        return in_turn(competitors, _ROUNDS, lambda _text: None)
    finally:
        line.close()


def _mean(call: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    for _number in range(_CALLS):
        call()
    return (time.perf_counter_ns() - begun) / _CALLS


def _wake_ups(where: Stage) -> dict[str, float]:
    """A second, by who is woken; side by side."""
    snippets = {"ours": _OURS}
    for drain in (NEWEST, EARLIER):
        snippets[drain.name] = connect_and_drain(where.site.peer_packages, drain)
    blenders: dict[str, Blender] = {}
    known: dict[str, set[int]] = {}
    try:
        for name, snippet in snippets.items():
            user, blender = where.start()
            blenders[name] = blender
            known[name] = set(switches(blender.pid))
            blender.run(_COUNTED + snippet)
            where.engine.wait_for_blender(user)
        where.site.tell(f"{len(blenders)} Blenders are watched for {_WATCHED_SECONDS:g} s")
        time.sleep(_SETTLING_SECONDS)
        before = {name: blender.run(_TICKS) for name, blender in blenders.items()}
        slept = {name: switches(blender.pid) for name, blender in blenders.items()}
        time.sleep(_WATCHED_SECONDS)
        woken = {name: switches(blender.pid) for name, blender in blenders.items()}
        after = {name: blender.run(_TICKS) for name, blender in blenders.items()}
    finally:
        for blender in blenders.values():
            blender.close()
    a_second = {}
    for name in snippets:
        seconds = after[name][1] - before[name][1]
        a_second[name] = (after[name][0] - before[name][0]) / seconds
        a_second[_threads_of(name)] = (
            sum(
                count - slept[name].get(thread, 0)
                for thread, count in woken[name].items()
                if thread not in known[name]
            )
            / seconds
        )
    return a_second


def _threads_of(name: str) -> str:
    return f"threads of {name}"


def switches(pid: int) -> dict[int, int]:
    """How often each thread of a process has slept or been put to sleep."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = (task / "status").read_text(encoding="utf-8")
        except OSError:
            continue  # it has just ended
        counts = re.findall(r"^\w*ctxt_switches:\s+(\d+)$", status, re.MULTILINE)
        found[int(task.name)] = sum(map(int, counts))
    return found
