"""How the tests of all folders run side by side, and what is written down of each."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness import waiting
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]

# Seconds of the slowest tests, from the last `cargo xtask test --timings`: they begin first.
SECONDS = Path(__file__).with_name("seconds.json")
# Names a file that gets a line for each test.
REPORT = "LIFELINE_TEST_REPORT"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out plain tests that wait")


def pytest_configure(config: pytest.Config) -> None:
    # Whoever runs the tests in the background may ignore these, and all that they start with them.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if (report := os.environ.get(REPORT)) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Report(Path(report)))


class _Report:
    """One JSON line for each test: name, outcome, seconds, and what it waited for how long."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, float] = {}
        self._outcomes: dict[str, str] = {}
        file.write_text("", encoding="utf-8")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid
        self._seconds[name] = self._seconds.get(name, 0.0) + report.duration
        if report.outcome != "passed":
            self._outcomes[name] = report.outcome
        if report.when == "teardown":
            line = {
                "test": name,
                "outcome": self._outcomes.pop(name, "passed"),
                "seconds": round(self._seconds.pop(name), 2),
                "waits": dict(report.user_properties).get("waits", {}),
            }
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Longest first, so that no worker is left with a long one."""
    known: dict[str, float] = json.loads(SECONDS.read_text(encoding="utf-8"))
    if config.getoption("--quick"):
        items[:] = [
            item
            for item in items
            if "display" in getattr(item, "fixturenames", ()) or item.nodeid not in known
        ]
    seconds: Counter[str] = Counter()
    for item in items:
        seconds[_group(item.nodeid)] += round(known.get(item.nodeid, 0))
    # Stable: tests of one group stay in their order.
    items.sort(key=lambda item: (-seconds[_group(item.nodeid)], _group(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Scheduler(config, log)


class _Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out one group after the other. (xdist's own groups are lost on pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def _group(nodeid: str) -> str:
    """What runs on one worker: a module that shares something costly, else a single test."""
    module = nodeid.partition("::")[0]
    return module if _shares(module) else nodeid


@cache
def _shares(module: str) -> bool:
    return 'scope="module"' in (ROOT / module).read_text(encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    waiting.WAITED.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        waits = sorted(waiting.WAITED.items(), key=lambda it: -it[1])[:3]
        item.user_properties.append(("waits", {what: round(took, 2) for what, took in waits}))
