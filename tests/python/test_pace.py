"""How soon the add-on looks again for what the server has sent."""

from __future__ import annotations

import importlib.util
import math

import pytest

from tests.python.addon_texts import ADDON


def pace(silence: float) -> float:
    """The add-on's function; the add-on itself can be imported in a Blender only."""
    spec = importlib.util.spec_from_file_location("pace", ADDON / "connection" / "pace.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    seconds: float = module.pace(silence)
    return seconds


@pytest.mark.parametrize(
    ("silence", "seconds"),
    [(0.0, 0.01), (4.9, 0.01), (5.0, 0.1), (29.9, 0.1), (30.0, 1.0), (math.inf, 1.0)],
)
def test_the_longer_the_silence_the_slower(silence: float, seconds: float) -> None:
    assert pace(silence) == seconds
