"""In which order tests run, and which of them together."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import conftest


def order(names: list[str], *, quick: bool = False) -> list[str]:
    config: Any = SimpleNamespace(getoption=lambda _name: quick)
    items: list[Any] = [
        SimpleNamespace(nodeid=name, fixturenames=["display"] if "blender" in name else [])
        for name in names
    ]
    conftest.pytest_collection_modifyitems(config, items)
    return [item.nodeid for item in items]


@pytest.fixture
def seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "tests/blender/a.py::slow": 40.0,
        "tests/python/b.py::slower": 60.0,
        "tests/python/c.py::one": 30.0,
        "tests/python/c.py::two": 20.0,
    }
    file = tmp_path / "seconds.json"
    file.write_text(json.dumps(known))
    monkeypatch.setattr(conftest, "SECONDS", file)
    monkeypatch.setattr(conftest, "_shares", lambda module: module == "tests/python/c.py")


NAMES = [
    "tests/python/d.py::quick",
    "tests/python/c.py::two",
    "tests/blender/a.py::slow",
    "tests/python/c.py::one",
    "tests/python/b.py::slower",
]


@pytest.mark.usefixtures("seconds")
def test_the_longest_come_first_and_what_shares_something_stays_together() -> None:
    assert order(NAMES) == [
        "tests/python/b.py::slower",
        "tests/python/c.py::two",
        "tests/python/c.py::one",
        "tests/blender/a.py::slow",
        "tests/python/d.py::quick",
    ]


@pytest.mark.usefixtures("seconds")
def test_a_quick_run_leaves_out_plain_tests_that_wait() -> None:
    assert order(NAMES, quick=True) == ["tests/blender/a.py::slow", "tests/python/d.py::quick"]
