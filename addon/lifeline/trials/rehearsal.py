# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the command `lifeline`, which the native module carries, what a policy is and would do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import configuration, native, session
from ..errors import RehearsalError
from ..wording import amount, utf8
from ..words import translated as _

if TYPE_CHECKING:
    from collections.abc import Callable

_BUILT_IN = "five-minutes"
# What the command takes of the settings: numbers. Some of them a policy is told, and some bound it.
_NUMBERS = ("seconds", "seconds-list", "count")


class Checked(NamedTuple):
    """Whether a policy can be used."""

    usable: bool
    sentence: str


class Span(NamedTuple):
    """A phase of the time line. Times in seconds after the loss."""

    phase: str
    begin: float
    end: float


class Rehearsed(NamedTuple):
    """What would happen after the server is lost for good. Times in seconds after the loss."""

    title: str
    spans: list[Span]
    lines: list[tuple[float, str]]
    marks: list[tuple[float, str]]
    """`attempt`, `warning`, `save` or `close`."""
    end: float


def policy_file() -> str | None:
    """The policy's file as it is set now; None: the built-in one is."""
    return configuration.file_or_nothing("policy") or None


def chosen_policy() -> str:
    """The same, as the command names it."""
    return policy_file() or _BUILT_IN


def current_policy() -> str:
    """The policy that is set, unless another one was swapped in. Raises RehearsalError."""
    live = session.connection()
    if live is None:
        return chosen_policy()
    policy = live.status()["policy"]
    origin = policy["origin"]
    if origin in ("built-in", live.settings()["policy"]):
        return chosen_policy()
    if not os.path.isfile(origin):
        told = _("{} is not from a file of this computer: revert the policy, or choose its file.")
        raise RehearsalError(told.format(policy["name"]))
    return origin


def chosen_settings() -> dict[str, str]:
    """The numbers as they are set now, as the command takes them."""
    return {
        info["name"]: _spelled(configuration.chosen(info["name"]), seconds=info["unit"] == "s")
        for info in native.settings_table()
        if info["kind"] in _NUMBERS
    }


def _spelled(value: Any, *, seconds: bool) -> str:
    unit = "s" if seconds else ""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if isinstance(value, list):
        return ",".join(f"{item}{unit}" for item in value)
    return f"{value}{unit}"


def check_of(policy: str) -> Callable[[], Checked]:
    """The work that checks it, for another thread. That raises RehearsalError."""

    def work() -> Checked:
        found = _ask("check", policy, "--json")
        if not found["usable"]:
            return Checked(False, str(found["reason"]))
        return Checked(True, f"{found['name']} {found['version']}: {found['about']}")

    return work


def rehearsal_of(policy: str, settings: dict[str, str]) -> Callable[[], Rehearsed]:
    """The work that plays an outage, for another thread. That raises RehearsalError."""

    def work() -> Rehearsed:
        chosen = [word for name, text in settings.items() for word in ("--set", f"{name}={text}")]
        return _read(_ask("simulate", policy, "--json", *chosen))

    return work


def _ask(*words: str) -> dict[str, Any]:
    code, out, complaint = native.run_command(list(words))
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError as error:
        reason = complaint.strip().removeprefix("lifeline: ") or f"exit code {code}"
        raise RehearsalError(utf8(reason)) from error
    return found


def _read(found: dict[str, Any]) -> Rehearsed:
    who = f"{found['policy']['name']} {found['policy']['version']}"
    lines, marks = [], []
    attempts = 0
    counting = False
    for entry in found["entries"]:
        at = entry["at_s"]
        if entry["what"] == "attempt":
            attempts += 1
            marks.append((at, "attempt"))
            # Those of the countdown come by the dozen.
            if not counting:
                lines.append((at, _("Attempt {} to connect fails").format(attempts)))
            continue
        counting = counting or entry["what"] == "countdown"
        told = _told(entry)
        if told is not None:
            lines.append((at, told))
        if entry["what"] in _MARKS:
            marks.append((at, _MARKS[entry["what"]]))
    if attempts > 0:
        lines.append((found["until_s"], _("{} attempts to connect in all").format(attempts)))
    return Rehearsed(
        title=_("{}, if the server is lost for good:").format(who),
        spans=[Span(it["phase"], it["from_s"], it["to_s"]) for it in found["phases"]],
        lines=lines,
        marks=marks,
        end=found["until_s"],
    )


_MARKS = {"countdown": "warning", "warn": "warning", "saved": "save", "closed": "close"}


def _told(entry: dict[str, Any]) -> str | None:
    """A line for a person; None: nothing that a person would miss."""
    what = entry["what"]
    if what == "countdown":
        return _("The countdown begins: {} to go").format(amount(entry["seconds"], "second"))
    if what == "warn":
        return _("A warning: {} to go").format(amount(entry["seconds"], "second"))
    return {
        "lost": _("The server is lost"),
        "saved": _("The file is saved"),
        "closed": _("Blender closes"),
        "trouble": entry.get("text"),
    }.get(what)
