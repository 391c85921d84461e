"""What criterion measures: `tests/bench/micro`."""

from __future__ import annotations

import json
import os
import subprocess

from lifeline_bench.errors import BenchError
from lifeline_bench.site import Site


def run(site: Site, bench: str) -> None:
    """Measure all of `benches/<bench>.rs`. Raises BenchError."""
    command = [os.environ.get("CARGO", "cargo"), "bench", "--quiet", "--package", "lifeline-bench"]
    command += ["--bench", bench, "--", "--quiet", "--warm-up-time", "1", "--measurement-time", "3"]
    try:
        subprocess.run(command, cwd=site.root, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"criterion: {error}") from error


def median(site: Site, group: str, name: str) -> float:
    """Seconds, of its last run. Raises BenchError."""
    file = site.root / "target" / "criterion" / group / name / "new" / "estimates.json"
    try:
        estimates = json.loads(file.read_text(encoding="utf-8"))
        return float(estimates["median"]["point_estimate"]) / 1e9
    except (OSError, ValueError, KeyError) as error:
        raise BenchError(f"criterion has no {group}/{name}: {error}") from error
