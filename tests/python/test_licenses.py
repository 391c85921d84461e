"""The licences in the packages are those of what is in the packages."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LICENSES = ROOT / "host" / "python" / "licenses"


def linked(package: str, *arguments: str) -> set[str]:
    """`name version` of each crate by others that goes into a package of ours."""
    command = [os.environ.get("CARGO", "cargo"), "tree", "--locked", "--offline"]
    command += ["--package", package, "--edges", "normal", "--prefix", "none", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    crates = re.findall(r"^(\S+) v(\S+)(?! \(/)(?: \(proc-macro\)| \(\*\))*$", done.stdout, re.M)
    return {f"{name} {version}" for name, version in crates}


@pytest.mark.parametrize(
    ("package", "arguments", "file"),
    [
        ("cr8_lifeline", [], "crates.txt"),
        ("five-minutes", ["--target", "wasm32-unknown-unknown"], "built-in-policy.txt"),
    ],
)
def test_every_crate_is_named_in_its_version(package: str, arguments: list[str], file: str) -> None:
    expected = linked(package, *arguments)
    assert len(expected) > 3
    named = re.findall(r"^  (\S+ \S+)$", (LICENSES / file).read_text(encoding="utf-8"), re.M)
    missing = expected - set(named)
    assert not missing, "`cargo xtask licenses` collects them anew"


def test_what_is_no_crate_is_there_too() -> None:
    library = (LICENSES / "rust-standard-library.html").read_text(encoding="utf-8")
    assert "Copyright notices for The Rust Standard Library" in library
