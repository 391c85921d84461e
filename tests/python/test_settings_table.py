"""One table for preferences, documentation and the settings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cr8_lifeline import Lifeline, SettingsError, settings_table

from tests.python import stub

if TYPE_CHECKING:  # of the stub alone
    from cr8_lifeline import SettingInfo

TABLE = settings_table()
LIMITED = [row for row in TABLE if row["minimum"] is not None]

# A value other than the default, by kind: as a preference, and as text.
OTHERS: dict[str, tuple[object, str]] = {
    "seconds": (4.5, "4.5"),
    "seconds-list": ([7.5, 2.0], "7.5,2"),
    "text": ("ws://h/ws/socket.io/", "ws://h/ws/socket.io/"),
    "path": ("/somewhere", "/somewhere"),
}
DIGEST = "ab" * 32


def named(row: SettingInfo) -> str:
    return row["name"]


def other(row: SettingInfo) -> tuple[object, str]:
    if row["name"] == "policy_sha256":
        return DIGEST, DIGEST.upper()
    if row["kind"] == "count":
        assert row["minimum"] is not None
        value = int(row["minimum"]) + 7
        return value, str(value)
    if row["kind"] == "switch":
        return not row["default"], str(int(not row["default"]))
    if row["kind"] == "choice":
        assert row["choices"] is not None
        return row["choices"][-1], row["choices"][-1].upper()
    return OTHERS[row["kind"]]


def test_each_row_is_what_the_stub_promises() -> None:
    assert [stub.faults("SettingInfo", row) for row in TABLE] == [[]] * len(TABLE)
    assert all(row["about"] for row in TABLE)


def test_the_stub_lists_the_same_names_and_variables() -> None:
    assert stub.documented_settings() == [(row["name"], row["variable"]) for row in TABLE]


def test_the_defaults_are_the_settings_of_nobody() -> None:
    defaults = {row["name"]: row["default"] for row in TABLE if row["kind"] != "secret"}
    assert Lifeline(environ={}).settings() == defaults


UPLOADS = ("save_url", "save_target", "recovery_url", "upload_headers")


def test_what_is_secret() -> None:
    secret = [row["name"] for row in TABLE if row["kind"] == "secret"]
    assert secret == ["token", "headers", *UPLOADS, "notify_url"]


@pytest.mark.parametrize("row", [row for row in TABLE if row["kind"] != "secret"], ids=named)
def test_each_setting_goes_by_its_name_and_its_variable(row: SettingInfo) -> None:
    value, text = other(row)
    assert value != row["default"]
    name = row["name"]
    assert Lifeline({name: value}, environ={}).settings()[name] == value
    assert Lifeline(environ={row["variable"]: text}).settings()[name] == value


@pytest.mark.parametrize("row", LIMITED, ids=named)
def test_limits_are_the_last_values_that_are_taken(row: SettingInfo) -> None:
    name, low, high = row["name"], row["minimum"], row["maximum"]
    assert low is not None
    assert high is not None
    for limit in (low, high):
        assert Lifeline({name: limit}, environ={}).settings()[name] == limit
    for beyond in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=name):
            Lifeline({name: beyond}, environ={})
        with pytest.raises(SettingsError, match=row["variable"]):
            Lifeline(environ={row["variable"]: f"{beyond}"})
