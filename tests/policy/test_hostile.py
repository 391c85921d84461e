"""The policies that misbehave for other tests: each can be loaded, and does what its name says.

What the host makes of them is tested where the host is.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeline_harness.hostile import PREFIX, README, ROOM, built, hostile, in_mode, modes

from tests.policy.cases import Invoke
from tests.policy.conftest import Lifeline, Wasmtime
from tests.policy.wave import parse

# What a call may use in Blender.
LIMITS = f"fuel={50_000_000},max-memory-size={64 << 20}"

# (mode, call in WAVE) → what the command answered
Call = Callable[[str, str], "subprocess.CompletedProcess[str]"]


def _outage(attempts: int, attempt: str) -> str:
    return (
        f"{{lost-at: 0, why: transport-error, attempts: {attempts}, attempt: {attempt}, "
        "extended: 0}"
    )


def _state(phase: str, seen: int) -> str:
    return f"{{phase: {phase}, seen: {seen}, memo: []}}"


def _counting_down(attempts: int, attempt: str, seen: int) -> str:
    outage = _outage(attempts, attempt)
    return _state(f"counting-down({{outage: {outage}, deadline: 334000, warned: 10000}})", seen)


CONNECTED = _state("connected", 1000)
FIFTH_ATTEMPT = _state(f"reconnecting({_outage(5, 'under-way(44000)')})", 34_000)
SAVING = _state(
    f"saving({{outage: {_outage(40, 'due(338000)')}, place: in-place, since: 334000}})", 334_000
)

LOSS = f"on-disconnect({CONNECTED}, {{now: 2000}}, transport-error)"
CUT_OFF = f"on-disconnect({CONNECTED}, {{now: 2000, cut-off: some(1)}}, transport-error)"
LAST_FAILURE = f"on-connect-error({FIFTH_ATTEMPT}, {{now: 34000}}, unreachable)"
EDGE = f"tick({_counting_down(6, 'due(39000)', 34_000)}, {{now: 39000}})"
COUNTDOWN = f"tick({_counting_down(20, 'due(200000)', 190_000)}, {{now: 200000}})"
DEADLINE = f"tick({_counting_down(40, 'due(338000)', 330_000)}, {{now: 334000}})"
WHILE_SAVING = f"tick({SAVING}, {{now: 338000}})"
SAVE_FAILED = f'on-saved({SAVING}, {{now: 335000}}, err("full"))'
HOLD = f"on-request({_counting_down(20, 'due(200000)', 190_000)}, {{now: 195000}}, hold)"
HELD = _state(f"held({_outage(20, 'due(200000)')})", 195_000)
RELEASE = f"on-request({HELD}, {{now: 196000}}, release)"
CLOSE_NOW = f"on-request({HELD}, {{now: 196000}}, close-now)"
BACK = f"on-connect({_counting_down(20, 'under-way(210000)', 200_000)}, {{now: 201000}})"

# (mode, call, what the command says of the failure)
FAILURES = [
    ("endless-loop", COUNTDOWN, "all fuel consumed"),
    ("memory-bomb", LOSS, "all fuel consumed"),
    ("memory-fill", LAST_FAILURE, "all fuel consumed"),
    ("memory-grow", COUNTDOWN, "all fuel consumed"),
    ("stack-overflow", COUNTDOWN, "call stack exhausted|out of bounds"),
    ("trap", LOSS, "unreachable"),
    ("million-actions", COUNTDOWN, "all fuel consumed"),
    ("memo-1gb", COUNTDOWN, "unreachable"),
    ("memo-8mb", COUNTDOWN, "too much data"),  # the command's own limit: it has been made
    ("burns-fuel", WHILE_SAVING, "all fuel consumed"),
    ("panics-at-the-edge", EDGE, "unreachable"),
    ("panics-when-cut-off", CUT_OFF, "unreachable"),
]

# (mode, call, what is in its answer, and not in that of five-minutes)
ANSWERS = [
    ("thousand-actions", LOSS, r"actions: \[(warn\(1\), ){999}warn\(1\)\]"),
    ("garbage-phase", LOSS, r"phase: connected"),
    ("deadline-past", LOSS, r"deadline: 0,.* actions: \[\], wake-at: some\(0\)"),
    (
        "deadline-max",
        LOSS,
        r"deadline: 18446744073709551615,.* wake-at: some\(18446744073709551615\)",
    ),
    ("quits-at-once", LOSS, r"phase: quitting.* actions: \[quit\]"),
    (
        "quits-while-connected",
        BACK,
        r"actions: \[save\(in-place\), quit\], wake-at: some\(201100\)",
    ),
    ("never-wakes", COUNTDOWN, r"actions: \[connect\]\}"),
    ("wakes-every-0ms", COUNTDOWN, r"actions: \[connect\], wake-at: some\(200000\)"),
    ("stale-seen", LOSS, r"seen: 1999"),
    ("save-while-connected", BACK, r"phase: connected.* actions: \[save\(in-place\)\]"),
    ("quit-before-save", DEADLINE, r"phase: quitting.* actions: \[quit\]"),
    ("no-wake-up", DEADLINE, r"phase: saving.* actions: \[save\(in-place\)\]\}"),
    ("never-quits", DEADLINE, r"deadline: 634000,.* actions: \[warn\(300000\)\]"),
    ("holds-unasked", LAST_FAILURE, r"phase: held.* actions: \[\], wake-at: some\(38375\)"),
    ("ignores-reconnect", BACK, r"phase: counting-down.* actions: \[\], wake-at: some\(202000\)"),
    (
        "forgets-retry-of-failed-save",
        SAVE_FAILED,
        r"place: in-place.* actions: \[\], wake-at: some",
    ),
    ("moves-the-deadline", COUNTDOWN, r"deadline: 344000,"),
    ("saves-twice", WHILE_SAVING, r"actions: \[connect, save\(in-place\)\]"),
    ("ignores-hold", HOLD, r"phase: counting-down.* deadline: 334000,.* wake-at: some\(200000\)"),
    ("ignores-release", RELEASE, r"phase: held.* actions: \[\]"),
    ("departs-from-all", DEADLINE, r"phase: quitting.* actions: \[quit\]"),
]

# Seen in `describe`, in an instance that is called twice, or not at all.
ELSEWHERE = ["long-strings", "keeps-a-secret", "five-minutes"]


@pytest.fixture
def call(wasmtime: Wasmtime, tmp_path: Path) -> Call:
    """Call the component in some mode, with the limits of a call in Blender."""

    def run(mode: str, text: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / f"{mode}.wasm"
        file.write_bytes(hostile(mode))
        return wasmtime("run", "-W", LIMITS, "--invoke", text, file)

    return run


@pytest.mark.parametrize("mode", modes())
def test_it_can_be_loaded_and_tried(mode: str, call: Call, invoke: Invoke) -> None:
    described = call(mode, "describe()")
    assert described.returncode == 0, described.stderr
    who = parse(described.stdout)
    assert isinstance(who, dict)
    if mode == "long-strings":
        departs = who.pop("departs")
        assert isinstance(departs, list)
        assert [len(str(text)) for text in [*who.values(), *departs]] == [1_040_000] * 5
    else:
        assert who["name"] == mode
    assert call(mode, "start({now: 0})").stdout == invoke("five-minutes", "start({now: 0})")


@pytest.mark.parametrize(("mode", "text", "failure"), FAILURES, ids=[it[0] for it in FAILURES])
def test_it_fails_as_it_should(mode: str, text: str, failure: str, call: Call) -> None:
    run = call(mode, text)
    assert run.returncode != 0, run.stdout
    assert re.search(failure, run.stderr), run.stderr


@pytest.mark.parametrize(("mode", "text", "answer"), ANSWERS, ids=[it[0] for it in ANSWERS])
def test_it_answers_as_it_should_not(
    mode: str, text: str, answer: str, call: Call, invoke: Invoke
) -> None:
    run = call(mode, text)
    assert run.returncode == 0, run.stderr
    assert re.search(answer, run.stdout), run.stdout
    assert not re.search(answer, invoke("five-minutes", text))


def test_a_secret_between_calls_is_found_out_by_a_simulation(
    lifeline: Lifeline, tmp_path: Path
) -> None:
    """One instance is used for many calls there."""
    file = tmp_path / "keeps-a-secret.wasm"
    file.write_bytes(hostile("keeps-a-secret"))
    # As in Blender: each call has an instance of its own, and no secret.
    code, told = lifeline("fleet", file, "--clients", "50", "--fresh")
    assert (code, told["policy"]["returned"], told["steps"]["instances"]) == (0, 50, "fresh")
    with pytest.raises(AssertionError, match=r"keeps something outside its state.*--fresh"):
        lifeline("fleet", file, "--clients", "50")


@pytest.mark.parametrize(
    "text",
    [LOSS, LAST_FAILURE, EDGE, COUNTDOWN, DEADLINE, WHILE_SAVING, SAVE_FAILED, HOLD, RELEASE, BACK],
    ids=[
        "loss",
        "last failure",
        "edge",
        "countdown",
        "deadline",
        "saving",
        "save failed",
        "hold",
        "release",
        "back",
    ],
)
def test_without_a_fault_it_is_five_minutes(text: str, call: Call, invoke: Invoke) -> None:
    honest = invoke("five-minutes", text)
    assert call("five-minutes", text).stdout == honest
    assert call("keeps-a-secret", text).stdout == honest, "one call, one instance: no secret yet"


def test_a_close_now_is_ignored_too(call: Call, invoke: Invoke) -> None:
    answer = r"phase: held.* actions: \[\]"
    assert re.search(answer, call("ignores-release", CLOSE_NOW).stdout)
    assert not re.search(answer, invoke("five-minutes", CLOSE_NOW))


def test_every_mode_is_documented_and_tested() -> None:
    source = (README.parent / "src" / "mode.rs").read_text(encoding="utf-8")
    known = re.findall(r'^    \w+: "([a-z0-9-]+)",$', source, re.MULTILINE)
    assert modes() == known
    tested = [mode for mode, _, _ in FAILURES + ANSWERS] + ELSEWHERE
    assert sorted(tested) == sorted(known)


def test_only_the_marker_differs() -> None:
    base = built()
    assert hostile("five-minutes") == base
    begin = base.index(PREFIX) + len(PREFIX)
    for mode in modes():
        variant = hostile(mode)
        assert variant[:begin] == base[:begin]
        assert variant[begin : begin + ROOM].rstrip(b".").decode() == mode
        assert variant[begin + ROOM :] == base[begin + ROOM :]


def test_a_name_that_is_no_mode_cannot_be_loaded(call: Call) -> None:
    run = call("five-seconds", "describe()")
    assert run.returncode != 0
    assert "unreachable" in run.stderr


@pytest.mark.parametrize("mode", ["", "a.b", "x" * 33])
def test_a_name_that_does_not_fit_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="no name of a mode"):
        in_mode(PREFIX + bytes(ROOM), mode)


@pytest.mark.parametrize("count", [0, 2])
def test_a_component_must_have_one_marker(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} markers"):
        in_mode((PREFIX + bytes(ROOM)) * count, "trap")
