"""A short soak; and what it finds in a client that is not in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from cr8_lifeline import Lifeline, Status
from cr8_lifeline.events import AnyEvent
from lifeline_soak import opening
from lifeline_soak.errors import ViolationError
from lifeline_soak.log import CycleLog
from lifeline_soak.memory import OwnMemory
from lifeline_soak.plain import PlainClient
from lifeline_soak.plan import FAULTS, FaultName
from lifeline_soak.site import Site
from lifeline_soak.soak import Order, Soak
from lifeline_soak.timing import PLAIN

SEED = 7
CYCLES = 10


def order(cycles: int, faults: tuple[FaultName, ...] = FAULTS) -> Order:
    return Order(SEED, cycles, first=1, faults=faults, report_every=100, command="soak")


def test_a_short_soak(tmp_path: Path) -> None:
    with opening.plain(tmp_path) as site:
        summary = Soak(site, OwnMemory(), order(CYCLES)).run()
    assert summary.startswith(f"soak: {CYCLES} cycles, seed {SEED}: ")
    assert summary.endswith("; nothing left over")


class Saboteur(PlainClient):
    """Does a deed at the end of each cycle, or tells lies."""

    def __init__(self, settings: Mapping[str, object], saved: Path, log: CycleLog) -> None:
        self.settings = dict(settings)
        self.be_honest()
        super().__init__(settings, saved, log)

    def be_honest(self) -> None:
        self.deed: Callable[[], object] = lambda: None
        self.counts_twice = self.tells_twice = False
        self._counted_more = self._told_more = 0

    def left_open(self) -> list[str]:
        self.deed()
        return super().left_open()

    def status(self) -> Status:
        status = super().status()
        status["outages"] += self._counted_more
        status["recoveries"] += self._counted_more
        return status

    def counted(self) -> list[str]:
        told = super().counted()
        return told or [f"lost was told {self._told_more} times more"] * bool(self._told_more)

    def _hear(self, event: AnyEvent) -> None:
        super()._hear(event)
        if event.kind == "lost":
            self._counted_more += self.counts_twice
            self._told_more += self.tells_twice


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a saboteur, and little patience."""
    timing = replace(PLAIN, settle=1.0)
    with opening.plain(tmp_path_factory.mktemp("sabotage"), Saboteur, timing) as site:
        yield site


@pytest.fixture
def saboteur(site: Site) -> Iterator[Saboteur]:
    """Honest before and after."""
    client = site.client
    assert isinstance(client, Saboteur)
    yield client
    client.be_honest()


def violation(site: Site) -> str:
    """What a soak finds that would go well without sabotage."""
    opening.connected(site)
    with pytest.raises(ViolationError) as found:
        Soak(site, OwnMemory(), order(3, ("slow",))).run()
    return str(found.value)


def test_without_sabotage(site: Site, saboteur: Saboteur) -> None:
    assert isinstance(saboteur, PlainClient)
    opening.connected(site)
    assert Soak(site, OwnMemory(), order(2, ("slow",))).run().endswith("nothing left over")


def test_a_thread_that_stays(site: Site, saboteur: Saboteur) -> None:
    done = threading.Event()
    saboteur.deed = lambda: threading.Thread(target=done.wait, daemon=True).start()
    try:
        text = violation(site)
    finally:
        done.set()
    assert "✗ threads " in text


def test_a_descriptor_that_stays_open(site: Site, saboteur: Saboteur) -> None:
    with ExitStack() as stack:

        def leak() -> None:
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))

        saboteur.deed = leak
        assert "✗ descriptors /dev/null: expected " in violation(site)


def test_an_outage_that_the_status_counts_twice(site: Site, saboteur: Saboteur) -> None:
    saboteur.counts_twice = True
    assert "✗ outages counted: 2: expected 1" in violation(site)


def test_an_outage_that_is_told_twice(site: Site, saboteur: Saboteur) -> None:
    saboteur.tells_twice = True
    assert "✗ lost was told " in violation(site)


def test_another_client_at_the_server(site: Site, saboteur: Saboteur) -> None:
    settings = {**saboteur.settings, "username": "another", "journal": ""}
    with ExitStack() as stack:

        def connect() -> None:
            line = Lifeline(settings, environ={})
            stack.callback(line.close)
            line.connect()

        saboteur.deed = connect
        assert "✗ the server's clients are " in violation(site)


def test_a_violation_tells_what_happened_and_how_to_repeat_it(
    site: Site, saboteur: Saboteur
) -> None:
    saboteur.tells_twice = True
    text = violation(site)
    assert text.startswith("soak: VIOLATION in cycle ")
    for part in ("the server says goodbye", "host: lost server-disconnect", "again: soak --seed 7"):
        assert part in text


def test_a_ticket_that_still_stands(nowhere: str, tmp_path: Path) -> None:
    settings = {**PLAIN.settings, "server_url": nowhere, "policy_cache": "off"}
    client = PlainClient(settings, tmp_path / "saved.blend", CycleLog())
    client.answering = False
    client.wait("a save", lambda _: "save" in client.asked, 10.0)
    (fault,) = client.left_open()
    assert "could still be claimed" in fault
    assert client.left_open() == []
    client.close()
