"""What a soak does follows from its seed, and from the number of each cycle."""

from __future__ import annotations

from collections import Counter

from lifeline_harness.hostile import modes
from lifeline_soak.plan import FAULTS, HOSTILE, MODES, SURVIVED, Cycle, cycle

MANY = range(1, 2_001)


def plan(seed: int) -> list[Cycle]:
    return [cycle(seed, number) for number in MANY]


def test_the_same_seed_makes_the_same_plan() -> None:
    assert plan(7) == plan(7)


def test_a_cycle_does_not_depend_on_those_before_it() -> None:
    assert cycle(7, 500) == plan(7)[499]


def test_another_seed_makes_another_plan() -> None:
    same = [one for one, other in zip(plan(7), plan(8), strict=True) if str(one) == str(other)]
    assert len(same) < len(MANY) / 100


def test_the_plan_of_a_seed_stays_what_it_was() -> None:
    """A seed that somebody has written down means the same tomorrow."""
    assert str(cycle(7, 50)) == "too-slow and extend with five-minutes by bytes before (0.46)"
    assert str(cycle(11, 78)) == "save failed and extend (0.40)"


def test_everything_comes_about() -> None:
    cycles = plan(7)
    assert Counter(one.fault for one in cycles).keys() == set(FAULTS)
    assert {loss for one in cycles for loss in one.losses} == {"goodbye", "close", "kill"}
    assert len({one.save_end for one in cycles if one.save_end}) == 5
    assert {one.request for one in cycles} == {None, "hold", "hold-release", "extend"}
    swaps = [one.swap for one in cycles if one.swap]
    assert {swap.way for swap in swaps} == {"file", "bytes", "push", "watched"}
    assert {swap.during for swap in swaps} == {False, True}
    policies = {swap.policy for swap in swaps}
    hostile = {HOSTILE + mode for mode in MODES}
    assert policies == {"five-minutes", "render-guard", "patient", "broken"} | hostile


def test_the_modes_exist() -> None:
    assert set(MODES) <= set(modes())


def test_nothing_is_planned_that_cannot_be() -> None:
    for one in plan(7):
        if one.fault == "save":
            assert one.request in (None, "extend"), one
        if one.fault in ("freeze-short", "flap"):
            assert one.request is None, one
            assert one.swap is None or not one.swap.during, one
        if one.swap is not None and one.swap.during:
            assert one.swap.way != "push", one


def test_a_blender_survives_all_that_is_meant_for_it() -> None:
    faults = {cycle(7, number, SURVIVED).fault for number in MANY}
    assert faults == set(FAULTS) - {"save"}
