"""What keeps the add-on's modules to the one for files, and the one for what strangers write."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.ways_around import ADDON, faults


def test_nobody_goes_around_them() -> None:
    assert faults(ADDON) == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("open(path, 'w')", "open"),
        ("io.open(path)", "io.open"),
        ("os.open(path, os.O_WRONLY)", "os.open"),
        ("os.replace(draft, path)", "os.replace"),
        ("Path(path).write_text(content)", ".write_text"),
        ("path.read_bytes()", ".read_bytes"),
        ("draft.replace(path)", ".replace"),
        ("from os import open as begin", "os.open"),
        ("import shutil", "shutil"),
        ("from tempfile import mkstemp", "tempfile.mkstemp"),
        ("print(name)", "print"),
        ("sys.stdout.write(name)", "sys.stdout"),
        ("from sys import stderr", "sys.stderr"),
    ],
)
def test_a_way_around_is_named_with_its_line(tmp_path: Path, line: str, named: str) -> None:
    (tmp_path / "deep").mkdir()
    module = tmp_path / "deep" / "module.py"
    module.write_text(f"import os\n{line}\n")
    (fault,) = faults(tmp_path, {})
    assert fault.startswith(f"deep/module.py:2: {named} goes around")
    assert faults(tmp_path, {"deep/module.py": {named: "why"}}) == []


def test_what_only_looks_like_one_is_none(tmp_path: Path) -> None:
    text = "a.replace('x', 'y')\nnow.replace(tzinfo=utc)\nbutton.open\nos.fsync(3)\n"
    (tmp_path / "module.py").write_text(text)
    assert faults(tmp_path, {}) == []


def test_a_leave_that_nobody_needs_is_named(tmp_path: Path) -> None:
    leave = {"gone.py": {"open": "why"}}
    assert faults(tmp_path, leave) == ["gone.py: open is allowed and not used"]
