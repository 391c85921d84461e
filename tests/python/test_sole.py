"""There is one Lifeline in a Blender, however many copies of it there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.python.test_own_files import module

sole, TakenError = module("sole"), module("errors").TakenError
FIRST, SECOND = object(), object()


@pytest.fixture(autouse=True)
def free() -> Iterator[None]:
    yield
    sole.give_back(FIRST)
    sole.give_back(SECOND)


def test_the_second_is_told_who_is_first() -> None:
    sole.take(FIRST, "one")
    with pytest.raises(TakenError, match=r"in one\. .* disable one, or two\.$"):
        sole.take(SECOND, "two")
    assert sole.is_taken_by(FIRST)
    assert not sole.is_taken_by(SECOND)


def test_it_may_take_it_again_and_give_it_back() -> None:
    sole.take(FIRST, "one")
    sole.take(FIRST, "one")
    sole.give_back(SECOND)
    assert sole.is_taken_by(FIRST)
    sole.give_back(FIRST)
    sole.take(SECOND, "two")
    assert sole.is_taken_by(SECOND)
