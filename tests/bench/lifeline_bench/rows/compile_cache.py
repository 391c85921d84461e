"""Loading a policy from the compile cache, beside compiling it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def measure(program: Path, component: Path | None = None) -> dict[str, float]:
    """Medians in microseconds: compiled, from the cache, and the built-in policy.

    program: the example load_times of the crate lifeline, built
    (`cargo build --release --package lifeline --example load_times`). component: a policy; none
    named: the built-in one.
    """
    words = [str(program), *([str(component)] if component else [])]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=600)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures
