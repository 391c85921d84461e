"""Each task of `cargo xtask` makes all that it needs: none counts on what another one has left.

It runs over a copy of the checkout, in which everything that is made was taken away but what
compilers and package managers keep. The checkout itself stays as it is.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lifeline_harness.ports import first_port

ROOT = Path(__file__).parents[2]
# In the target folder: compiled objects, and installed programs and packages.
KEPT = ("release", "guest", "maturin", "tools", "shaders", "zig-cache", "venv*")
# Made anew with another time they would have the host library compiled again.
EMBEDDED = ("five-minutes.wasm", "five-minutes.cwasm")
SECONDS = 600

# A copy is made of what is written. $1: the checkout. $2: an empty folder. The rest: the task.
_SCRIPT = """
set -e
root=$1 scratch=$2
shift 2
mount -t tmpfs none "$scratch"
mkdir "$scratch/written" "$scratch/work" "$scratch/embedded"
for file in {embedded}; do cp -p "$root/target/policies/$file" "$scratch/embedded"; done
mount -t overlay -o "lowerdir=$root,upperdir=$scratch/written,workdir=$scratch/work" overlay "$root"
cd "$root"
find target -mindepth 1 -maxdepth 1 {kept} -exec rm -r {{}} +
rm -rf browser/generated browser/lib browser/dist
mkdir target/policies
cp -p "$scratch"/embedded/* target/policies
exec target/release/xtask "$@"
"""


def _script(kept: tuple[str, ...]) -> str:
    names = " ".join(f"! -name '{name}'" for name in kept)
    return _SCRIPT.format(embedded=" ".join(EMBEDDED), kept=names)


def _run(folder: Path, task: list[str], *, kept: tuple[str, ...] = KEPT) -> str:
    script = _script(kept)
    root = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        [
            "/usr/bin/env",
            "unshare",
            "--mount",
            *root,
            "bash",
            "-c",
            script,
            "bash",
            ROOT,
            folder,
            *task,
        ],
        # Nothing that the suites were told.
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LIFELINE_", "PYTEST_", "CARGO_", "PYTHON"))
        }
        | {
            "LIFELINE_JOBS": "1",
            "LIFELINE_FIRST_PORT": str(first_port()),
            "CARGO_MANIFEST_DIR": str(ROOT / "xtask"),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{task}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return done.stdout


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (["soak", "--cycles", "1"], "nothing left over"),
        (["bench", "step", "--json"], '"failed": []'),
        (["package"], ".zip"),
        # Of the suites those that need most.
        (["test", "policy", "--", "-k", "five-minutes and (exports or keeps_every)"], " passed"),
        (["test", "ui", "--", "-k", "test_native_module"], " passed"),
        (["test", "browser", "--", "-k", "test_a_reload_after_the_end"], " passed"),
    ],
    ids=lambda it: " ".join(it[:2]) if isinstance(it, list) else "",
)
def test_a_task_makes_what_it_needs(tmp_path: Path, task: list[str], told: str) -> None:
    assert told in _run(tmp_path, task)


def test_the_demo_makes_what_it_needs(tmp_path: Path) -> None:
    """Of the wheel that is shipped, or it would have everything compiled once more."""
    said = _run(tmp_path, ["demo", "--json"], kept=(*KEPT, "wheels"))
    assert '"edit_survived": true' in said
