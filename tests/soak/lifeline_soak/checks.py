"""What must hold after each cycle. Each check gives a sentence for each thing that does not."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifeline_harness.journal import Journal

from lifeline_soak import traces
from lifeline_soak.errors import ViolationError
from lifeline_soak.faults import Count
from lifeline_soak.shelf import digest
from lifeline_soak.site import USER, Site

if TYPE_CHECKING:
    from cr8_lifeline import Status

STEP = 0.03
# What stands still for so many looks in a row is at rest.
_LOOKS = 8


@dataclass(frozen=True)
class Baseline:
    """What both processes have open, and what runs in the client, while all is well."""

    threads: Counter[str]
    descriptors: Counter[str]
    server: Counter[str]

    @classmethod
    def now(cls, site: Site) -> Baseline:
        return cls(
            traces.threads(site.client.pid),
            traces.descriptors(site.client.pid),
            traces.descriptors(site.engine.pid),
        )

    @classmethod
    def at_rest(cls, site: Site) -> Baseline:
        """Once nothing changes any more. Raises ViolationError."""
        end = time.monotonic() + site.timing.settle
        looks: list[Baseline] = []
        while time.monotonic() < end:
            looks = [*looks, cls.now(site)][-_LOOKS:]
            if len(looks) == _LOOKS and all(look == looks[0] for look in looks):
                return looks[0]
            site.client.pass_time(STEP)
        raise ViolationError([f"no rest within {site.timing.settle:g} s: {looks[-1]}"])

    def faults(self, site: Site) -> list[str]:
        now = Baseline.now(site)
        return [
            *traces.difference("threads", self.threads, now.threads),
            *traces.difference("descriptors", self.descriptors, now.descriptors),
            *traces.difference("the server's descriptors", self.server, now.server),
        ]


def settle(site: Site, count: Count, baseline: Baseline | None) -> int:
    """Wait until all is as it was; how many outages were counted. Raises ViolationError.

    baseline: None: what is open and runs does not count yet.
    """
    # The next cycle has an outage of its own.
    site.client.pass_time(site.timing.lasting)
    end = time.monotonic() + site.timing.settle
    while True:
        late = time.monotonic() >= end
        found = next(filter(None, _rounds(site, count, baseline)), [])
        if not found:
            break
        if late:
            raise ViolationError(found)
        site.client.pass_time(STEP)
    if left := site.client.left_open():
        raise ViolationError(left)
    counted = site.client.status()["outages"] - site.outages
    _forget_journal(site)
    return counted


def _rounds(site: Site, count: Count, baseline: Baseline | None) -> Iterator[list[str]]:
    """What is wrong, by what is looked at; the cheap things first."""
    yield _status(site, site.client.status(), count)
    yield site.client.counted()
    yield _journal(site)
    # Before the server is asked, which needs a socket for it.
    if baseline is not None:
        yield baseline.faults(site)
    yield _server(site)


def _status(site: Site, status: Status, count: Count) -> list[str]:
    expected: dict[str, object] = {
        "phase": "connected",
        "connected": True,
        "attempting": False,
        "next_attempt": None,
        "lost_for": None,
        "remaining": None,
        "save": None,
        "journal_error": None,
        "recoveries": status["outages"],
    }
    found = {**status}
    faults = [
        f"status: {name} is {found[name]!r}: expected {value!r}"
        for name, value in expected.items()
        if found[name] != value
    ]
    counted = status["outages"] - site.outages
    if not count.least <= counted <= count.most:
        wanted = f"{count.least}" if count.least == count.most else f"{count.least} or more"
        faults.append(f"outages counted: {counted}: expected {wanted} {count.because}".rstrip())
    policy = status["policy"]
    decides = (policy["sha256"], policy["origin"], policy["failures"])
    usual = (digest(site.shelf.usual), str(site.shelf.watched), 0)
    if decides != usual:
        faults.append(f"policy (digest, origin, failures) is {decides}: expected {usual}")
    return faults


def _journal(site: Site) -> list[str]:
    """Outages stand in it as ones that the server has ended, and none is open.

    Each once; those that short connections have interrupted as one.
    """
    entries = Journal(site.journal).entries()
    counted = site.client.status()["outages"] - site.outages
    faults = [
        f"journal: an outage has the outcome {entry['outcome']}: expected recovered"
        for entry in entries
        if entry["outcome"] != "recovered"
    ]
    if not min(counted, 1) <= len(entries) <= counted:
        faults.append(f"journal: {len(entries)} outages: expected {counted} at most")
    beside = {one for one in os.listdir(site.journal.parent) if one.startswith(site.journal.name)}
    if left := beside - {site.journal.name}:
        faults.append(f"journal: left over: {sorted(left)}")
    return faults


def _forget_journal(site: Site) -> None:
    site.journal.unlink(missing_ok=True)


def _server(site: Site) -> list[str]:
    clients = [one["username"] for one in site.engine.status()["blenders"]]
    if clients != [USER]:
        return [f"the server's clients are {clients}: expected {[USER]}"]
    return []
