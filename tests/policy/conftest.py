"""The programs and components that `cargo xtask test policy` names in the environment."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.policy.cases import Invoke

# words of the wasmtime command → what came of it
Wasmtime = Callable[..., subprocess.CompletedProcess[str]]


# (words of the command line) → exit code, and what was printed
Lifeline = Callable[..., tuple[int, Any]]


def _named(variable: str) -> Path:
    path = os.environ.get(variable)
    if not path:
        pytest.fail(f"{variable} is not set: run `cargo xtask test policy`")
    return Path(path)


@pytest.fixture(scope="session")
def component() -> Callable[[str], Path]:
    """The file of a policy."""
    folder = _named("LIFELINE_POLICIES")

    def find(policy: str) -> Path:
        file = folder / f"{policy}.wasm"
        assert file.is_file(), f"{file} was not built"
        return file

    return find


@pytest.fixture(scope="session")
def wasmtime() -> Wasmtime:
    """Run the wasmtime command."""
    program = _named("LIFELINE_WASMTIME")

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *words], capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture(scope="session")
def invoke(
    component: Callable[[str], Path], wasmtime: Wasmtime, tmp_path_factory: pytest.TempPathFactory
) -> Invoke:
    """Call a policy's function through the wasmtime command.

    Each policy is compiled once, ahead of its calls, whatever worker makes them: one with an
    interpreter in it takes half a minute.
    """
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def call(policy: str, text: str) -> str:
        compiled = folder / f"{policy}.cwasm"
        with compiled.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not compiled.exists():
                made = wasmtime("compile", component(policy), "--output", compiled)
                assert made.returncode == 0, f"wasmtime could not compile {policy}\n{made.stderr}"
        run = wasmtime("run", "--allow-precompiled", "--invoke", text, compiled)
        assert run.returncode == 0, f"wasmtime could not call\n{text}\n{run.stderr}"
        return run.stdout

    return call


@pytest.fixture(scope="session")
def lifeline() -> Lifeline:
    """The command `lifeline`: its exit code, and the JSON that it prints."""
    command = _named("LIFELINE_COMMAND")

    def run(*words: str | Path) -> tuple[int, Any]:
        ran = subprocess.run(
            [command, *words, "--json"], capture_output=True, text=True, timeout=900, check=False
        )
        assert ran.stdout, f"exit code {ran.returncode}\n{ran.stderr}"
        return ran.returncode, json.loads(ran.stdout)

    return run
