"""The programs and components that `cargo xtask test policy` names in the environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.policy.cases import Invoke

# (component, call in WAVE) → what the command answered
Run = Callable[[Path, str], subprocess.CompletedProcess[str]]


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


def _wasmtime(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_named("LIFELINE_WASMTIME"), *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def run_component(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Call a component's function through the wasmtime command, whatever comes of it.

    Each component is compiled once, ahead of its calls: one with an interpreter takes seconds.
    """
    folder = tmp_path_factory.mktemp("compiled")
    compiled: dict[Path, Path] = {}

    def run(file: Path, text: str) -> subprocess.CompletedProcess[str]:
        if file not in compiled:
            output = folder / f"{len(compiled)}.cwasm"
            made = _wasmtime("compile", file, "--output", output)
            assert made.returncode == 0, f"wasmtime could not compile {file}\n{made.stderr}"
            compiled[file] = output
        return _wasmtime("run", "--allow-precompiled", "--invoke", text, compiled[file])

    return run


@pytest.fixture(scope="session")
def invoke(component: Callable[[str], Path], run_component: Run) -> Invoke:
    """Call a policy's function and get its answer."""

    def call(policy: str, text: str) -> str:
        run = run_component(component(policy), text)
        assert run.returncode == 0, f"wasmtime could not call\n{text}\n{run.stderr}"
        return run.stdout

    return call


@pytest.fixture(scope="session")
def invoke_as_it_is(component: Callable[[str], Path]) -> Invoke:
    """The same as one would type it."""

    def call(policy: str, text: str) -> str:
        run = _wasmtime("run", "--invoke", text, component(policy))
        assert run.returncode == 0, f"wasmtime could not call\n{text}\n{run.stderr}"
        return run.stdout

    return call


@pytest.fixture(scope="session")
def boundary() -> Callable[[Path], dict[str, list[str]]]:
    """What a component imports and exports, read from its bytes by `cargo xtask wit`."""
    xtask = _named("LIFELINE_XTASK")

    def read(file: Path) -> dict[str, list[str]]:
        run = subprocess.run(
            [xtask, "wit", file], capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr
        found: dict[str, list[str]] = {}
        for line in run.stdout.splitlines():
            if line.startswith("  "):
                found[list(found)[-1]].append(line.strip())
            else:
                found[line.partition(":")[0]] = []
        return found

    return read
