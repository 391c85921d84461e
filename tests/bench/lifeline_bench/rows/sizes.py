"""What people download: the wheel and the add-on's zips, beside wasmtime-py's wheel."""

from __future__ import annotations

import re
from pathlib import Path

from lifeline_bench import peers
from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.site import Site

TITLE = "What people download"
MISS = (
    "Nearly all of it is the compiler for policies. "
    "Tried: optimising both for size, LTO, a better packer; together they would leave 7 MB, for "
    "slower loads and builds. docs/size.md has the figures."
)
ZIPS = {"extension, for Blender 4.2 and later": False, "add-on, for older Blenders": True}


def measure(site: Site) -> list[Figure]:
    target = site.root / "target"
    wheel = _newest(target / "wheels", "cr8_lifeline-*.whl")
    zips = list((target / "packages").glob("*.zip"))
    figures = [
        Figure(
            row="sizes",
            what="the wheel",
            unit="MB",
            ours=wheel.stat().st_size / 1e6,
            peer=_their_wheel(site) / 1e6,
            peer_name="wasmtime-py's wheel, which has no Socket.IO and no TLS",
            goal=Bound(5),
            miss=MISS,
        )
    ]
    for what, legacy in ZIPS.items():
        (one,) = (path for path in zips if ("-legacy-" in path.name) is legacy)
        figures.append(
            Figure(
                row="sizes",
                what=f"the {what}",
                unit="MB",
                ours=one.stat().st_size / 1e6,
                goal=Bound(6),
                miss=MISS,
            )
        )
    return figures


def _newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BenchError(f"{folder} holds no {pattern}")
    return found[-1]


def _their_wheel(site: Site) -> int:
    """Its size as downloaded: the lock file has it."""
    version, wheel = peers.ask(
        site,
        "import json; from importlib.metadata import distribution; it = distribution('wasmtime'); "
        "print(json.dumps([it.version, it.read_text('WHEEL')]))",
    )
    (tag, *_) = re.findall(r"^Tag: (\S+)$", wheel, re.MULTILINE)
    name = re.escape(f"/wasmtime-{version}-{tag}")
    line = rf'{name}[^"/]*\.whl",.* size = (\d+)'
    found = re.search(line, (site.root / "uv.lock").read_text())
    if found is None:
        raise BenchError(f"uv.lock has no size of wasmtime {version}, {tag}; run `uv lock`")
    return int(found[1])
