"""One base for all exceptions; what cannot be made or derived."""

from __future__ import annotations

from typing import Any

import cr8_lifeline
import pytest
from cr8_lifeline import (
    ClosedError,
    Event,
    Lifeline,
    LifelineError,
    PolicyError,
    SettingsError,
    events,
)


@pytest.mark.parametrize("kind", [SettingsError, PolicyError, ClosedError])
def test_every_exception_has_the_same_base(kind: type[Exception]) -> None:
    assert kind.__bases__ == (LifelineError,)
    assert kind.__module__ == "cr8_lifeline"


def test_the_base_is_an_ordinary_exception() -> None:
    assert LifelineError.__bases__ == (Exception,)


KINDS = [getattr(events, name) for name in events.__all__ if name != "AnyEvent"]


@pytest.mark.parametrize("final", [Lifeline, *KINDS])
def test_classes_are_final(final: type[Any]) -> None:
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Derived", (final,), {})


@pytest.mark.parametrize("make", [Event, *KINDS])
def test_events_come_from_lines_only(make: Any) -> None:
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize(
    "arguments", [(5,), ("server_url",), ({}, None, {}), ({}, None, None, None)]
)
def test_a_line_is_not_made_from_nonsense(arguments: tuple[object, ...]) -> None:
    make: Any = Lifeline
    with pytest.raises((TypeError, SettingsError)):
        make(*arguments)


@pytest.mark.parametrize("policy", [5, bytearray(b"\0asm"), ["/a"], object()])
def test_a_policy_is_a_path_or_bytes(policy: Any) -> None:
    with pytest.raises(PolicyError, match="expected a path or bytes"):
        Lifeline(policy=policy, environ={})


def test_everything_in_all_is_there() -> None:
    assert all(hasattr(cr8_lifeline, name) for name in cr8_lifeline.__all__)
