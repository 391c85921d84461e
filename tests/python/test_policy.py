"""A policy by itself: an outage told call by call."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cr8_lifeline import Decision, Policy, PolicyError, SettingsError
from lifeline_harness.hostile import hostile
from lifeline_harness.policies import older_policy_file, policy_file
from lifeline_harness.profile import ROOT


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy()


def lost(policy: Policy, now: int = 1_000) -> Decision:
    start = policy.start(0)
    assert start.actions == ["connect"]
    up = policy.on_connect(start.state, 0)
    assert (up.state.phase, up.state.attempts, up.wake_at) == ("connected", None, None)
    return policy.on_disconnect(up.state, now, "transport-error")


def counting(policy: Policy) -> Decision:
    """Every attempt fails at once."""
    decision = lost(policy)
    while decision.state.phase == "reconnecting":
        assert decision.wake_at is not None
        now = decision.wake_at
        decision = policy.tick(decision.state, now)
        assert decision.actions == ["connect"]
        decision = policy.on_connect_error(decision.state, now, "unreachable")
    return decision


def test_who_it_is(policy: Policy) -> None:
    file = policy_file("five-minutes")
    for same in (policy, Policy(file), Policy(file.read_bytes())):
        assert (same.name, same.sha256) == ("five-minutes", policy.sha256)
    assert policy.about
    assert repr(policy) == f"<Policy five-minutes {policy.version} ({policy.sha256[:12]})>"


def test_from_the_loss_to_the_end(policy: Policy) -> None:
    decision = counting(policy)
    state = decision.state
    assert (state.phase, state.attempts, state.seen) == ("counting-down", 5, 35_000)
    assert (state.deadline, decision.actions) == (335_000, ["warn(300000)"])
    saving = policy.tick(state, 335_000)
    assert (saving.state.phase, saving.actions) == ("saving", ["save(in-place)"])
    failed = policy.on_saved(saving.state, 335_001, "the disk is full")
    assert failed.actions[0] == "save(recovery)"
    assert policy.on_saved(failed.state, 335_002).actions[0] == "quit"
    assert state.deadline == 335_000  # what it was given is as it was


def test_a_person_asks(policy: Policy) -> None:
    state = counting(policy).state
    assert policy.on_request(state, 36_000, "extend", 60_000).state.deadline == 395_000
    held = policy.on_request(state, 36_000, "hold").state
    assert held.phase == "held"
    assert policy.on_request(held, 37_000, "release").state.deadline == 337_000
    assert policy.on_request(held, 37_000, "close-now").actions == ["save(in-place)"]


def test_circumstances_arrive(policy: Policy) -> None:
    assert lost(policy).wake_at == 3_000
    up = policy.on_connect(policy.start(0).state, 0).state
    moved = {
        policy.on_disconnect(up, 1_000, "ping-timeout", entropy=chance << 60).wake_at
        for chance in range(1, 9)
    }
    assert len(moved) > 1
    asleep = policy.tick(counting(policy).state, 95_000, due=35_000).state
    assert asleep.deadline is not None
    assert asleep.deadline > 335_000
    guard = Policy(policy_file("render-guard"))
    state = counting(guard).state
    assert state.deadline is not None
    assert guard.tick(state, state.deadline, rendering=False).actions == ["save(in-place)"]
    assert "save(in-place)" not in guard.tick(state, state.deadline, rendering=True).actions


def test_connections_that_did_not_last_are_told_to_whoever_can_hear_of_them() -> None:
    def waits(policy: Policy, cut_off: int | None) -> int | None:
        up = policy.on_connect(policy.start(0).state, 0).state
        return policy.on_disconnect(up, 0, "server-disconnect", cut_off=cut_off).wake_at

    counts = (None, 1, 2, 3, 40)
    present, older = Policy(policy_file("patient")), Policy(older_policy_file("patient"))
    assert [waits(present, it) for it in counts] == [2_000, 4_000, 8_000, 16_000, 60_000]
    assert [waits(older, it) for it in counts] == [2_000] * 5


def test_a_state_goes_from_one_version_to_the_other_and_back() -> None:
    versions = Policy(older_policy_file("five-minutes")), Policy(policy_file("five-minutes"))
    alone = counting(versions[0])
    decision = alone
    for turn in range(6):
        decision = versions[turn % 2].tick(decision.state, 35_001 + turn)
    assert (decision.state.phase, decision.state.deadline) == ("counting-down", 335_000)
    assert decision.state == versions[1].tick(alone.state, 35_006).state


def test_settings_are_those_of_the_line() -> None:
    policy = Policy(policy_file("five-minutes"), settings={"cleanup_timeout": 30})
    assert counting(policy).actions == ["warn(30000)"]
    with pytest.raises(SettingsError, match="cleanup: there is no such setting"):
        Policy(settings={"cleanup": 3})


def test_a_reason_that_people_are_told_is_taken(policy: Policy) -> None:
    up = policy.on_connect(policy.start(0).state, 0).state
    silent, frozen = (policy.on_disconnect(up, 1, why) for why in ("ping-timeout", "frozen"))
    assert silent.state == frozen.state


def test_threads_take_turns(policy: Policy) -> None:
    with ThreadPoolExecutor(16) as pool:
        decisions = list(pool.map(lambda now: policy.start(now).wake_at, range(2_000)))
    assert decisions == [10_000 + now for now in range(2_000)]


def test_states_are_compared_by_what_they_hold(policy: Policy) -> None:
    assert lost(policy).state == lost(policy).state
    assert lost(policy).state != lost(policy, 1_001).state
    assert lost(policy).state.memo == b""


def test_what_cannot_be_used_is_named(policy: Policy, tmp_path: Path) -> None:
    state = lost(policy).state
    with pytest.raises(PolicyError, match='why: there is no "bored"; there are unreachable'):
        policy.on_connect_error(state, 2_000, "bored")
    with pytest.raises(PolicyError, match="there are hold, extend"):
        policy.on_request(state, 2_000, "stay")
    with pytest.raises(PolicyError, match='argument: there is no "dues"'):
        policy.tick(state, 2_000, dues=4)
    with pytest.raises(PolicyError, match="policy is a int"):
        Policy(3)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match=r"missing\.wasm"):
        Policy(tmp_path / "missing.wasm")
    with pytest.raises(PolicyError, match="it is not WebAssembly"):
        Policy(b"a text")


def test_a_call_that_fails_is_an_error_and_the_next_one_works() -> None:
    policy = Policy(hostile("trap"))
    with pytest.raises(PolicyError, match="on-disconnect: it trapped"):
        lost(policy)
    assert policy.start(0).actions == ["connect"]


def test_the_guides_example() -> None:
    guide = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(from cr8_lifeline import Policy\n.*?)```", guide, re.S)
    file = "target/policies/coffee-break.wasm"
    assert file in example
    exec(example.replace(file, str(policy_file("five-minutes"))), {})  # noqa: S102 - our own
