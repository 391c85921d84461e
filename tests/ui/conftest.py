"""The scenarios of `tests/blender`, with somebody who installs, looks and presses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lifeline_harness import processes
from lifeline_harness.display import Display
from lifeline_harness.pointer import Pointer

from tests.blender.conftest import limit_time, make_stage, template

# pytest finds fixtures by their names here.
__all__ = ["make_stage", "template"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    limit_time(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    """Large enough to look at."""
    processes.adopt_orphans()
    with Display.start(tmp_path_factory.mktemp("screen")) as display:
        yield display


@pytest.fixture
def pointer(display: Display) -> Pointer:
    return Pointer(display)
