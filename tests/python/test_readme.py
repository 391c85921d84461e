"""The README's table of settings is the one that the module works by."""

from __future__ import annotations

import re
from pathlib import Path

from cr8_lifeline import settings_table

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(r"\| `(?P<variable>\w+)` \| (?P<default>[^|]*)\| (?P<about>[^|]*) \|")


def written(default: object) -> str:
    """A default as the README spells it."""
    if isinstance(default, list):
        return ", ".join(str(item) for item in default)
    if isinstance(default, bool):
        return str(int(default))
    return str(default)


def test_settings() -> None:
    rows = [
        match.group("variable", "default", "about") for match in ROW.finditer(README.read_text())
    ]
    told = [(variable, default.strip(), about) for variable, default, about in rows]
    true = [(row["variable"], written(row["default"]), row["about"]) for row in settings_table()]
    assert told == true
