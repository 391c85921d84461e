"""Where a setting comes from, and what is said of one that cannot be used."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from cr8_lifeline import Lifeline, SettingsError

SECRET = "s3kr3t-0123"  # noqa: S105 (that is the point)


def faults(settings: Mapping[str, object], environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Lifeline(settings, environ=environ or {})
    return str(caught.value).splitlines()


def test_environment_over_preferences_over_defaults() -> None:
    settings = Lifeline(
        {"cleanup_timeout": 60, "retry_delay": 1.5, "username": "ada"},
        environ={"CR8_CLEANUP_TIMEOUT": "7.25", "WS_URL": "ws://h:1"},
    ).settings()
    assert settings["cleanup_timeout"] == 7.25
    assert settings["retry_delay"] == 1.5
    assert settings["username"] == "ada"
    assert settings["server_url"] == "ws://h:1/ws/socket.io/"
    assert settings["retry_attempts"] == 5


def test_the_process_has_an_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CR8_CLEANUP_TIMEOUT", "7")
    assert Lifeline({"cleanup_timeout": 60}).settings()["cleanup_timeout"] == 7
    # One that is given replaces it as a whole.
    assert Lifeline({"cleanup_timeout": 60}, environ={}).settings()["cleanup_timeout"] == 60


def test_an_environment_is_any_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CR8_CLEANUP_TIMEOUT", "7")
    assert Lifeline(environ=os.environ).settings()["cleanup_timeout"] == 7
    fixed = MappingProxyType({"CR8_CLEANUP_TIMEOUT": "8"})
    assert Lifeline(environ=fixed).settings()["cleanup_timeout"] == 8


def test_preferences_are_any_mapping() -> None:
    line = Lifeline(MappingProxyType({"retry_attempts": 9, "warn_before": (4, 2)}), environ={})
    assert line.settings()["retry_attempts"] == 9
    assert line.settings()["warn_before"] == [4, 2]


def test_none_and_empty_mean_not_set() -> None:
    line = Lifeline({"retry_delay": None}, environ={"CR8_CLEANUP_TIMEOUT": " "})
    assert line.settings()["retry_delay"] == 2
    assert line.settings()["cleanup_timeout"] == 300


def test_every_fault_is_named_with_what_was_expected() -> None:
    found = faults(
        {"retry_attempts": 2.5, "cleanup": 3, "server_url": "ftp://h"},
        {"CR8_RETRY_DELAY": "soon", "CR8_WARN_BEFORE": "1,x"},
    )
    assert sorted(found) == [
        'CR8_RETRY_DELAY is "soon": expected seconds from 0.01 to 3600',
        'CR8_WARN_BEFORE is "1,x": expected seconds, separated by commas',
        "cleanup: there is no such setting",
        "retry_attempts (preference) is 2.5: expected a whole number from 0 to 1000",
        'server_url: scheme "ftp": expected ws, wss, http or https',
    ]


@pytest.mark.parametrize("value", [math.inf, math.nan, object(), b"1"])
def test_a_value_that_json_cannot_carry_is_named_beside_the_others(value: object) -> None:
    found = faults({"cleanup_timeout": value, "nope": 1})
    assert len(found) == 2
    assert any(fault.startswith("cleanup_timeout") for fault in found)
    assert "nope: there is no such setting" in found


def test_the_mask_of_the_environment_hides_a_bad_preference() -> None:
    line = Lifeline({"retry_delay": "x"}, environ={"CR8_RETRY_DELAY": "3"})
    assert line.settings()["retry_delay"] == 3


@pytest.mark.parametrize("token", [12345678, [SECRET], {"a": SECRET}, SECRET.encode()])
def test_a_token_of_the_wrong_type_is_a_fault_and_not_repeated(token: object) -> None:
    with pytest.raises(SettingsError) as caught:
        Lifeline({"token": token}, environ={})
    error: BaseException | None = caught.value
    assert "token" in str(error)
    while error is not None:
        assert SECRET not in repr(error)
        assert "12345678" not in repr(error)
        error = error.__cause__


@pytest.mark.parametrize(
    "url", [f"ftp://ann:{SECRET}@h", f"ws://ann:{SECRET}@h:99999", f"ws://ann:{SECRET}@"]
)
def test_the_password_in_a_bad_url_is_not_repeated(url: str) -> None:
    (fault,) = faults({}, {"WS_URL": url})
    assert SECRET not in fault


def test_the_token_is_left_out_of_the_settings() -> None:
    line = Lifeline({"token": SECRET, "server_url": f"ws://ann:{SECRET}@h?t={SECRET}"}, environ={})
    assert "token" not in line.settings()
    assert SECRET not in f"{line.settings()}"
