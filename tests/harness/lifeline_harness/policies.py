"""The policy components that `cargo xtask build` has made."""

from __future__ import annotations

import os
from pathlib import Path

from lifeline_harness.errors import StartError
from lifeline_harness.profile import ROOT


def policy_file(name: str) -> Path:
    """A policy that ships, from the folder that LIFELINE_POLICIES names. Raises StartError."""
    folder = Path(os.environ.get("LIFELINE_POLICIES", ROOT / "target" / "policies"))
    file = folder / f"{name}.wasm"
    if not file.is_file():
        raise StartError(f"{file} was not built: run `cargo xtask build`")
    return file


def older_policy_file(name: str) -> Path:
    """One of version 0.1 of the contract, as it was shipped (`tests/policies/0.1`)."""
    return ROOT / "tests" / "policies" / "0.1" / f"{name}.wasm"
