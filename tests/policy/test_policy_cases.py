"""Each case of each policy, one call of the wasmtime command each."""

from __future__ import annotations

import difflib

import pytest

from tests.policy.cases import Invoke, PolicyCase, policies, read_cases
from tests.policy.wave import parse, show

CASES = read_cases()

# Of wit/policy.wit; `describe` is in test_policy_component.py, for it changes with every version.
FUNCTIONS = {
    "start",
    "on-connect",
    "on-connect-error",
    "on-disconnect",
    "on-saved",
    "on-request",
    "tick",
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_answer_is_the_expected_one(case: PolicyCase, invoke: Invoke) -> None:
    expected = show(parse(case.answer))
    actual = show(parse(invoke(case.policy, case.call)))
    if actual != expected:
        diff = difflib.unified_diff(expected, actual, "expected", "answered", lineterm="", n=99)
        pytest.fail("\n".join([str(case), case.call, "", *diff]), pytrace=False)


@pytest.mark.parametrize("policy", policies())
def test_every_function_has_a_case(policy: str) -> None:
    assert {case.function for case in CASES if case.policy == policy} == FUNCTIONS
