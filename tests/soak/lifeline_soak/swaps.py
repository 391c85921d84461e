"""Another policy, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeline_soak.plan import BROKEN, Cycle, Swap
from lifeline_soak.shelf import component, digest, pushed
from lifeline_soak.site import USER, Site

if TYPE_CHECKING:
    from cr8_lifeline import Status


def before(site: Site, cycle: Cycle) -> None:
    """Swap, if the cycle wants it before the fault. Raises WaitError."""
    if cycle.swap is not None and not cycle.swap.during:
        _swap(site, cycle.swap, cycle.number)


def during(site: Site, cycle: Cycle) -> None:
    """Swap, if the cycle wants it in the outage. Raises WaitError."""
    if cycle.swap is not None and cycle.swap.during:
        _swap(site, cycle.swap, cycle.number)


def back(site: Site, cycle: Cycle) -> None:
    """The usual policy decides again. Raises WaitError."""
    if cycle.swap is None or cycle.swap.policy == BROKEN:
        return
    site.log(f"back from {cycle.swap.policy}")
    if cycle.swap.way == "watched":
        site.shelf.replace_watched(site.shelf.usual)
    else:
        site.client.revert()
    _wait_taken(site, digest(site.shelf.usual))


def _swap(site: Site, swap: Swap, number: int) -> None:
    content = component(swap, number)
    site.log(f"swap to {swap.policy} by {swap.way}")
    if swap.way == "file":
        site.client.swap_file(site.shelf.put(content))
    elif swap.way == "bytes":
        site.client.swap_bytes(site.shelf.put(content))
    elif swap.way == "push":
        site.engine.emit(USER, "policy_update", pushed(content, number))
    else:
        site.shelf.replace_watched(content)
    if swap.policy == BROKEN:
        _wait_refused(site, digest(content))
    else:
        _wait_taken(site, digest(content))


def _wait_taken(site: Site, wanted: str) -> None:
    def taken(status: Status) -> bool:
        return status["policy"]["sha256"] == wanted

    site.client.wait(f"the policy {wanted[:12]} decides", taken, site.timing.patience)


def _wait_refused(site: Site, wanted: str) -> None:
    def refused(status: Status) -> bool:
        one = status["policy"]["refused"]
        # A component that does not arrive whole by the server is known by what was announced.
        return one is not None and one["sha256"] == wanted

    site.client.wait(f"the policy {wanted[:12]} is refused", refused, site.timing.patience)
