"""What is done to the server, and how many outages that makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from lifeline_soak import swaps
from lifeline_soak.client import calls
from lifeline_soak.plain import PlainClient
from lifeline_soak.plan import Cycle, FaultName, Loss
from lifeline_soak.site import USER, Site

# Between two requests of a person.
_PAUSE = 0.05


class Count(NamedTuple):
    """How many outages the client must have counted; most > least: it could not be helped."""

    least: int
    most: int
    because: str = ""


ONE = Count(1, 1)


def inflict(site: Site, cycle: Cycle) -> Count:
    """Do it, and leave the server in order. Raises HarnessError."""
    return _FAULTS[cycle.fault](site, cycle)


def _kill(site: Site, cycle: Cycle) -> Count:
    site.log("the server is killed")
    site.engine.kill()
    _stay_lost(site, cycle)
    _start(site)
    return ONE


def _stop(site: Site, cycle: Cycle) -> Count:
    site.log("the server is stopped")
    site.engine.stop()
    _stay_lost(site, cycle)
    _start(site)
    return ONE


def _freeze_short(site: Site, cycle: Cycle) -> Count:
    """Shorter than anybody notices."""
    bound = site.timing.ping_timeout
    begun = time.monotonic()
    site.log("the server is frozen")
    site.engine.freeze()
    site.client.pass_time(0.5 * bound * cycle.share)
    site.engine.thaw()
    took = time.monotonic() - begun
    site.log(f"the server goes on after {took:.3f} s")
    if took > 0.8 * bound:  # the machine was busy
        return Count(0, 1, f"the server was frozen for {took:.2f} s")
    return Count(0, 0)


def _freeze_long(site: Site, cycle: Cycle) -> Count:
    site.log("the server is frozen")
    site.engine.freeze()
    _stay_lost(site, cycle)
    site.engine.thaw()
    site.log("the server goes on")
    return ONE


def _flap(site: Site, cycle: Cycle) -> Count:
    for number, loss in enumerate(cycle.losses, 1):
        _LOSSES[loss](site)
        site.wait_back(number)
    return Count(len(cycle.losses), len(cycle.losses))


def _goodbye(site: Site) -> None:
    site.log("the server says goodbye")
    site.engine.disconnect(USER)


def _close(site: Site) -> None:
    site.log("the server sends an engine.io CLOSE")
    site.engine.engineio_close(USER)


def _kill_and_start(site: Site) -> None:
    site.log("the server is killed")
    site.engine.kill()
    _start(site)


def _slow(site: Site, cycle: Cycle) -> Count:
    """Each attempt is accepted, but late."""
    site.engine.delay_connect(0.5 * site.timing.connect_timeout * cycle.share)
    _goodbye(site)
    _stay_lost(site, cycle, down=0.0)
    site.wait_back()
    site.engine.delay_connect(0)
    return ONE


def _too_slow(site: Site, cycle: Cycle) -> Count:
    """Nobody waits as long as the server takes to accept."""
    delay = site.timing.connect_timeout + 0.1
    site.engine.delay_connect(delay)
    _goodbye(site)
    _stay_lost(site, cycle)
    # An attempt that was given up would be accepted in the end, in place of a newer one.
    site.engine.refuse()
    site.engine.delay_connect(0)
    site.client.pass_time(delay + 0.1)
    site.log("the server is as fast as before")
    site.engine.refuse(False)
    return ONE


def _refuse(site: Site, cycle: Cycle) -> Count:
    site.log("the server refuses")
    site.engine.refuse()
    _goodbye(site)
    _stay_lost(site, cycle)
    site.engine.refuse(False)
    site.log("the server accepts")
    return ONE


def _save(site: Site, cycle: Cycle) -> Count:
    """The countdown ends, and the server is back before Blender closes."""
    client = site.client
    if not isinstance(client, PlainClient):
        raise TypeError("only a main thread of our own can stand still in mid-save")
    client.answering = False
    site.log("the server is killed")
    site.engine.kill()
    site.wait_lost()
    _interfere(site, cycle)
    ticket = _asked_to_save(site, client)
    end = cycle.save_end
    if end != "unclaimed":
        client.claim(ticket)
    if end == "saved":
        client.answer(ticket, ok=True)
        client.wait("a quit", lambda _: "quit" in client.asked, site.timing.patience)
    elif end == "failed":
        client.answer(ticket, ok=False)
        ticket = _asked_to_save(site, client)
        client.claim(ticket)
        client.answer(ticket, ok=False)
    _start(site)
    site.wait_back()
    if end in ("in-mid-save", "failed-late"):
        client.answer(ticket, ok=end == "in-mid-save")
    client.answering = True
    return ONE


def _asked_to_save(site: Site, client: PlainClient) -> int:
    client.wait("a save", lambda _: "save" in client.asked, site.timing.patience)
    return client.asked.pop("save")


def _start(site: Site) -> None:
    site.engine.start()
    site.log("the server is back")


def _stay_lost(site: Site, cycle: Cycle, down: float | None = None) -> None:
    """Wait for the loss, and then for the cycle's share of the time that a server stays away."""
    site.wait_lost()
    _interfere(site, cycle)
    site.client.pass_time(cycle.share * (site.timing.down if down is None else down))


def _interfere(site: Site, cycle: Cycle) -> None:
    swaps.during(site, cycle)
    if cycle.request is not None:
        for call in calls(cycle.request):
            site.log(f"request: {call}")
            site.client.request(call)
            site.client.pass_time(_PAUSE)


_FAULTS: dict[FaultName, Callable[[Site, Cycle], Count]] = {
    "kill": _kill,
    "stop": _stop,
    "freeze-short": _freeze_short,
    "freeze-long": _freeze_long,
    "flap": _flap,
    "slow": _slow,
    "too-slow": _too_slow,
    "refuse": _refuse,
    "save": _save,
}
_LOSSES: dict[Loss, Callable[[Site], None]] = {
    "goodbye": _goodbye,
    "close": _close,
    "kill": _kill_and_start,
}
