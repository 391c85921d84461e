"""`lifeline verify`: the policies that ship keep every rule, and each planted fault is found."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness.hostile import hostile, modes
from lifeline_harness.policies import older_policy_file

from tests.policy.cases import Invoke, policies
from tests.policy.conftest import Lifeline, Wasmtime
from tests.policy.wave import parse

# A policy in Python is compiled for half a minute, beside whatever else runs.
pytestmark = pytest.mark.timeout(1000)

# A call of it takes a thousand times as long.
SITUATIONS = {"steady": "1500"}

# Which rule each mode breaks. (tests/policies/hostile/README.md)
BREAKS = {
    "endless-loop": "limits",
    "memory-bomb": "limits",
    "memory-fill": "limits",
    "stack-overflow": "limits",
    "trap": "limits",
    "thousand-actions": "obeys",
    "million-actions": "limits",
    "memo-1gb": "limits",
    "memo-8mb": "limits",
    "garbage-phase": "obeys",
    "deadline-past": "countdown",
    "deadline-max": "ends",
    "quits-at-once": "save-before-quit",
    "quits-while-connected": "connected-is-quiet",
    "never-wakes": "wakes",
    "wakes-every-0ms": "ends",
    "stale-seen": "obeys",
    "save-while-connected": "connected-is-quiet",
    "quit-before-save": "save-before-quit",
    "no-wake-up": "wakes",
    "never-quits": "ends",
    "holds-unasked": "obeys",
    "ignores-reconnect": "reconnects",
    "forgets-retry-of-failed-save": "obeys",
    "moves-the-deadline": "ends",
    "burns-fuel": "limits",
    "panics-at-the-edge": "limits",
    "saves-twice": "obeys",
    "ignores-hold": "obeys",
    "ignores-release": "obeys",
    "panics-when-cut-off": "limits",
    "departs-from-all": "save-before-quit",
}
# Nothing wrong; a secret that cannot be kept; the same as memory-fill, in a minute.
NOTHING = {"five-minutes", "keeps-a-secret", "long-strings", "memory-grow"}
# Modes that show only after thousands of calls.
PATIENCE = {"wakes-every-0ms": "40000", "ignores-release": "10000"}
# A person who holds is one fault, and one who releases another.
FAULTS = {"ignores-release": "2"}


@pytest.mark.parametrize("policy", policies())
def test_what_ships_keeps_every_rule(
    policy: str, component: Callable[[str], Path], lifeline: Lifeline
) -> None:
    words = ["--states", SITUATIONS.get(policy, "30000")]
    code, found = lifeline("verify", component(policy), *words)
    assert (code, found["broken"]) == (0, [])
    assert all(rule["kept"] for rule in found["properties"])
    assert len(found["properties"]) == 9
    asked = {rule["name"]: rule["asked"] for rule in found["properties"]}
    assert asked.pop("countdown") == (policy != "patient")
    assert all(asked.values())
    # It has come to the end of an outage, with each set of settings.
    assert all(looked["longest_s"] is not None for looked in found["looked_at"])


@pytest.mark.parametrize("policy", ["five-minutes", "patient", "render-guard"])
def test_what_was_shipped_keeps_the_rules_of_its_time(policy: str, lifeline: Lifeline) -> None:
    file = older_policy_file(policy)
    code, found = lifeline("check", file)
    assert (code, found["contract"], found["departs"]) == (0, "0.1.0", [])
    code, found = lifeline("verify", file, "--states", "30000")
    assert (code, found["broken"]) == (0, [])
    # It has no way to say that it departs from a rule that came with 0.2.
    not_asked = [rule["name"] for rule in found["properties"] if not rule["asked"]]
    assert not_asked == ["countdown"]


def test_a_trace_of_an_older_one_can_be_repeated(lifeline: Lifeline, wasmtime: Wasmtime) -> None:
    """It is told nothing in it that its version does not know."""
    file = older_policy_file("five-minutes")
    words = ["--within", "1s", "--faults", "0"]
    code, found = lifeline("verify", file, *words)
    assert code == 1
    (fault,) = found["broken"]
    calls = [step for step in fault["trace"] if step["command"] is not None]
    assert calls
    for step in calls[:10]:
        assert parse(wasmtime(*shlex.split(step["command"])[1:]).stdout) == parse(step["answer"])


def test_every_mode_is_looked_for() -> None:
    assert set(modes()) == BREAKS.keys() | NOTHING


def search(lifeline: Lifeline, folder: Path, mode: str) -> tuple[int, Any, Path]:
    file = folder / f"{mode}.wasm"
    file.write_bytes(hostile(mode))
    words = ["--states", PATIENCE.get(mode, "8000"), "--faults", FAULTS.get(mode, "1")]
    return *lifeline("verify", file, *words), file


@pytest.mark.parametrize("mode", BREAKS)
def test_a_planted_fault_is_found(mode: str, tmp_path: Path, lifeline: Lifeline) -> None:
    code, found, file = search(lifeline, tmp_path, mode)
    assert code == 1
    broken = {fault["property"]: fault for fault in found["broken"]}
    assert BREAKS[mode] in broken, found["broken"]
    trace = broken[BREAKS[mode]]["trace"]
    assert trace[-1]["command"].startswith("wasmtime run --invoke '")
    assert shlex.split(trace[-1]["command"])[-1] == str(file)


def test_a_secret_cannot_be_kept(tmp_path: Path, lifeline: Lifeline) -> None:
    """A counter that outlived a call would be a part of the next answer."""
    code, found, _ = search(lifeline, tmp_path, "keeps-a-secret")
    assert (code, found["broken"]) == (0, [])


@pytest.mark.parametrize(
    "mode", ["quits-at-once", "quit-before-save", "never-wakes", "ignores-reconnect", "stale-seen"]
)
def test_its_trace_can_be_repeated(
    mode: str, tmp_path: Path, lifeline: Lifeline, wasmtime: Wasmtime
) -> None:
    """Each line by itself, through the wasmtime command: the very answers."""
    _, found, _ = search(lifeline, tmp_path, mode)
    (fault,) = found["broken"]
    calls = [step for step in fault["trace"] if step["command"] is not None]
    assert calls
    for step in calls:
        program, *words = shlex.split(step["command"])
        assert program == "wasmtime"
        assert parse(wasmtime(*words).stdout) == parse(step["answer"])


def test_the_last_line_of_a_trap_traps(
    tmp_path: Path, lifeline: Lifeline, wasmtime: Wasmtime
) -> None:
    _, found, _ = search(lifeline, tmp_path, "panics-at-the-edge")
    (fault,) = found["broken"]
    run = wasmtime(*shlex.split(fault["trace"][-1]["command"])[1:])
    assert run.returncode != 0
    assert "unreachable" in run.stderr


def test_its_calls_are_calls_of_a_good_policy_too(lifeline: Lifeline, invoke: Invoke) -> None:
    """Whatever is asked in a trace, every policy can read."""
    words = ["--within", "1m", "--faults", "0"]
    code, found = lifeline("verify", "five-minutes", *words)
    assert code == 1
    (fault,) = found["broken"]
    for step in fault["trace"][:10]:
        if step["command"] is None:
            continue
        call = shlex.split(step["command"])[3]
        assert parse(invoke("five-minutes", call)) == parse(step["answer"])
