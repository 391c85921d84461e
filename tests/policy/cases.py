"""The cases of a policy: what to call, and what it must answer.

A file `NAME/FUNCTION.cases` holds the cases of one function of the policy NAME:

    ## what the case shows
    // remarks, as WAVE allows them, here or inside
    tick({phase: connected, seen: 0, memo: []}, {now: 1})
    =>
    {state: {phase: connected, seen: 1, memo: []}, actions: []}

The call can be given to `wasmtime run --invoke` as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
ARROW = re.compile(r"^=>$", re.MULTILINE)

# (policy, call in WAVE) → answer in WAVE
Invoke = Callable[[str, str], str]


@dataclass(frozen=True)
class PolicyCase:
    """One call and its answer, both in WAVE."""

    policy: str
    function: str
    title: str
    call: str
    answer: str

    def __str__(self) -> str:
        return f"{self.policy} {self.function}: {self.title}"


def policies() -> list[str]:
    """The policies that have cases."""
    return sorted({file.parent.name for file in HERE.glob("*/*.cases")})


def read_cases() -> list[PolicyCase]:
    """All cases. Raises ValueError for a file that does not follow the form."""
    return [case for file in sorted(HERE.glob("*/*.cases")) for case in _cases_in(file)]


def _cases_in(file: Path) -> list[PolicyCase]:
    text = file.read_text(encoding="utf-8")
    before, *parts = HEADING.split(text)
    if before.strip() or not parts:
        raise ValueError(f"{file}: begin with a `## ` heading")
    cases = []
    for title, body in zip(parts[0::2], parts[1::2], strict=True):
        halves = ARROW.split(body)
        if len(halves) != 2:
            raise ValueError(f"{file}: `{title}` needs one line `=>`")
        # wasmtime wants the function's name first.
        call = re.sub(r"\A(\s|//[^\n]*\n)+", "", halves[0]).strip()
        if not call.startswith(f"{file.stem}("):
            raise ValueError(f"{file}: `{title}` does not call {file.stem}")
        cases.append(PolicyCase(file.parent.name, file.stem, title, call, halves[1].strip()))
    return cases
