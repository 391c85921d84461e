"""What the built components are, whatever they decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.policy.cases import Invoke, policies
from tests.policy.conftest import Lifeline, Wasmtime
from tests.policy.wave import parse

ROOT = Path(__file__).parents[2]

# A component that imports an instance `types` without a single function, and exports nothing.
WITH_AN_IMPORT = b"\0asm\x0d\0\x01\0" + b"\x07\x03\x01\x42\0" + b"\x0a\x0a\x01\0\x05types\x05\0"


@pytest.mark.parametrize("policy", policies())
def test_it_imports_nothing_and_exports_the_contract(
    policy: str, component: Callable[[str], Path], lifeline: Lifeline
) -> None:
    code, found = lifeline("check", component(policy))
    assert (code, found["usable"], found["reason"]) == (0, True, None)
    assert found["imports"] == []
    # componentize-py's own beside the contract.
    exports = [name for name in found["exports"] if name != "exports"]
    # The interface `types` brings the types that `policy` uses.
    assert exports == ["cr8:lifeline/types@0.2.0", "cr8:lifeline/policy@0.2.0"]
    assert found["contract"] == "0.2.0"
    assert found["departs"] == (["countdown"] if policy == "patient" else [])


def test_an_import_would_be_seen(tmp_path: Path, lifeline: Lifeline) -> None:
    file = tmp_path / "importing.wasm"
    file.write_bytes(WITH_AN_IMPORT)
    code, found = lifeline("check", file)
    assert (code, found["imports"], found["exports"]) == (1, ["types"], [])
    assert found["reason"] == "it imports types; a policy imports nothing"


@pytest.mark.parametrize("policy", ["five-minutes", "patient", "render-guard"])
def test_the_machine_as_a_policy_is_under_32_kb(
    policy: str, component: Callable[[str], Path]
) -> None:
    assert component(policy).stat().st_size < 32_000


def test_the_command_calls_it_as_it_is(
    component: Callable[[str], Path], wasmtime: Wasmtime, invoke: Invoke
) -> None:
    call = "start({now: 7})"
    run = wasmtime("run", "--invoke", call, component("five-minutes"))
    assert run.stdout == invoke("five-minutes", call)


@pytest.mark.parametrize("policy", policies())
def test_it_says_who_it_is(policy: str, invoke: Invoke) -> None:
    who = parse(invoke(policy, "describe()"))
    assert isinstance(who, dict)
    assert who["name"] == policy
    version = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert who["version"] == version[1]
    about = who["about"]
    assert isinstance(about, str)
    assert "\n" not in about
    assert re.fullmatch(r"[A-Z].*\.", about), "one sentence"
