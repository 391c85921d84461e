"""The scenarios of `tests/blender`, with faults added."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender.conftest import display, limit_time, make_stage, template
from tests.faults.saving_chain import chain, one_blender

# pytest finds fixtures by their names here.
__all__ = ["chain", "display", "make_stage", "one_blender", "template"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    limit_time(items, Path(__file__).parent)
