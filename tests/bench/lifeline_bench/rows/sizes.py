"""What people download: the wheel and the add-on's zips, beside wasmtime-py's wheel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def measure(
    wheel: Path, zips: Sequence[Path], folder: Path, peer: str = "wasmtime==50.0.1"
) -> dict[str, float]:
    """Sizes in bytes, by name; `peer` is the wheel of the distribution of that name, for this platform.

    wheel, zips: as `cargo xtask package` leaves them in target/wheels and target/packages. folder:
    empty, or with the peer's wheel from an earlier time; it is downloaded there.
    """
    figures = {"wheel": wheel.stat().st_size}
    for one in zips:
        kind = "legacy_zip" if "-legacy-" in one.name else "extension_zip"
        figures[kind] = one.stat().st_size
    figures["peer"] = _download(peer, folder).stat().st_size
    return {name: float(size) for name, size in figures.items()}


def _download(peer: str, folder: Path) -> Path:
    name, _, version = peer.partition("==")
    pattern = f"{name}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder), peer]
        subprocess.run(command, check=True, timeout=300)
    (found,) = folder.glob(pattern)
    return found
