"""The table of faults in the docs names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def functions(file: Path) -> set[str]:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {one.name for one in body if isinstance(one, ast.FunctionDef)}


def test_every_named_test_exists() -> None:
    rows = NAMED.findall((ROOT / "docs" / "faults.md").read_text(encoding="utf-8"))
    assert len(rows) > 50
    missing = [f"{file}::{name}" for file, name in rows if name not in functions(ROOT / file)]
    assert not missing


def test_every_story_of_a_fault_is_in_the_table() -> None:
    """But for those of single steps of the fallback chain, which are told together."""
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.name not in ("test_saving_fallbacks.py", Path(__file__).name):
            assert f"tests/faults/{file.name}::" in text, f"{file.name} is not in the table"
