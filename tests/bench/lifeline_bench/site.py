"""Where the things are that are measured."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lifeline_bench.errors import BenchError


@dataclass(frozen=True)
class Site:
    """Paths, all below the project; and whom to tell how it goes.

    root: the project. packages: the unpacked wheel, for `sys.path`. policies: the components.
    bindings: the contract as Python. command: the program `lifeline`. peers: the interpreter with
    the peers' packages, and peer_packages: their folder, for Blender's `sys.path`. scratch: an
    empty folder.
    """

    root: Path
    packages: Path
    policies: Path
    test_policies: Path
    bindings: Path
    command: Path
    peers: Path
    scratch: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))

    @classmethod
    def of_environment(cls) -> Site:
        """What `cargo xtask bench` sets. Raises BenchError."""
        return cls(
            root=Path(__file__).resolve().parents[3],
            packages=_path("LIFELINE_PYTHON"),
            policies=_path("LIFELINE_POLICIES"),
            test_policies=_path("LIFELINE_TEST_POLICIES"),
            bindings=_path("LIFELINE_BINDINGS"),
            command=_path("LIFELINE_COMMAND"),
            peers=_path("LIFELINE_PEERS"),
        )

    @property
    def peer_packages(self) -> Path:
        found = next(self.peers.parents[1].glob("lib/python*/site-packages"), None)
        if found is None:
            raise BenchError(f"{self.peers} has no site-packages")
        return found

    @property
    def five_minutes(self) -> Path:
        return self.policies / "five-minutes.wasm"

    def tell(self, text: str) -> None:
        """For who waits."""
        print(f"    {text}", file=sys.stderr, flush=True)


def _path(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        raise BenchError(f"{variable} is not set: run `cargo xtask bench`")
    path = Path(value)
    if not path.exists():
        raise BenchError(f"{variable} names {path}, which is not there")
    return path
