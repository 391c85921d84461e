"""Policies that misbehave: one built component, its mode written into its bytes.

The modes and the marker are described in tests/policies/hostile/README.md.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from lifeline_harness.errors import StartError

VARIABLE = "LIFELINE_TEST_POLICIES"
README = Path(__file__).parents[2] / "policies" / "hostile" / "README.md"

PREFIX = b"LIFELINE-TEST-MODE:"
ROOM = 32


def hostile(mode: str) -> bytes:
    """The component in one of `modes()`. Raises StartError if it was not built."""
    return in_mode(built(), mode)


def built() -> bytes:
    """The component as it was built, in the mode `five-minutes`. Raises StartError."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise StartError(f"no hostile policies: set {VARIABLE}, or use `cargo xtask test`")
    file = Path(folder) / "hostile.wasm"
    if not file.is_file():
        raise StartError(f"{file} was not built; `cargo xtask test policy` does")
    return file.read_bytes()


def modes() -> list[str]:
    """All modes, `five-minutes` first, which behaves."""
    return re.findall(r"^\| `([a-z0-9-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)


def in_mode(component: bytes, mode: str) -> bytes:
    """The same component with another mode in its marker. Raises ValueError."""
    name = mode.encode("ascii")
    if not 0 < len(name) <= ROOM or b"." in name:
        raise ValueError(f"{mode!r} is no name of a mode: 1 to {ROOM} bytes without a dot")
    if component.count(PREFIX) != 1:
        raise ValueError(f"{component.count(PREFIX)} markers instead of one")
    begin = component.index(PREFIX) + len(PREFIX)
    return component[:begin] + name.ljust(ROOM, b".") + component[begin + ROOM :]
