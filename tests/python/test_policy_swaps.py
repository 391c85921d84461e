"""Another policy: taken, or refused with a reason while the old one goes on."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from cr8_lifeline import PolicyError

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder

CORE_MODULE = b"\0asm\x01\0\0\0"
EMPTY_COMPONENT = b"\0asm\x0d\0\x01\0"


@pytest.fixture
def in_outage(make_line: MakeLine, nowhere: str) -> Recorder:
    recorder = make_line(nowhere, cleanup_timeout=300)
    recorder.line.connect()
    recorder.until("lost")
    assert recorder.line.status()["policy"]["origin"] == "built-in"
    return recorder


def assert_swapped(recorder: Recorder, origin: str, file: Path) -> None:
    event = recorder.until("policy")
    assert (event.name, event.message) == ("five-minutes", None)
    policy = recorder.line.status()["policy"]
    assert (policy["name"], policy["origin"]) == ("five-minutes", origin)
    assert policy["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (policy["failures"], policy["set_aside"]) == (0, False)


def test_bytes(in_outage: Recorder, five_minutes: Path) -> None:
    in_outage.line.swap_policy(five_minutes.read_bytes())
    assert_swapped(in_outage, "bytes", five_minutes)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path(in_outage: Recorder, five_minutes: Path, kind: type[str | Path]) -> None:
    in_outage.line.swap_policy(kind(five_minutes))
    assert_swapped(in_outage, str(five_minutes), five_minutes)


@pytest.mark.parametrize(
    "junk", [b"", b"junk", CORE_MODULE, EMPTY_COMPONENT], ids=["empty", "junk", "core", "no-policy"]
)
def test_bytes_that_are_no_policy(in_outage: Recorder, junk: bytes) -> None:
    in_outage.line.swap_policy(junk)
    event = in_outage.until("policy")
    assert event.name == "five-minutes"
    assert event.message is not None
    assert event.message.startswith("bytes: ")
    assert in_outage.line.status()["policy"]["origin"] == "built-in"


def test_a_cut_file(in_outage: Recorder, five_minutes: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.wasm"
    cut.write_bytes(five_minutes.read_bytes()[:-100])
    in_outage.line.swap_policy(cut)
    assert str(cut) in (in_outage.until("policy").message or "")
    assert in_outage.line.status()["policy"]["origin"] == "built-in"


def test_a_pipe_or_a_folder_is_not_waited_for(in_outage: Recorder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wasm"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        in_outage.line.swap_policy(path)
        assert "not an ordinary file" in (in_outage.until("policy").message or "")


@pytest.mark.parametrize("policy", [5, None, bytearray(b"\0asm"), ["/a"]])
def test_another_type(in_outage: Recorder, policy: Any) -> None:
    with pytest.raises(PolicyError, match="expected a path or bytes"):
        in_outage.line.swap_policy(policy)
    in_outage.keep_polling(0.2)
    assert "policy" not in in_outage.kinds()


def test_the_countdown_goes_on_over_a_swap(
    make_line: MakeLine, nowhere: str, five_minutes: Path
) -> None:
    recorder = make_line(nowhere, cleanup_timeout=60, warn_before=[])
    recorder.line.connect()
    recorder.until("countdown")
    recorder.keep_polling(0.3)
    before = recorder.line.status()["remaining"]
    recorder.line.swap_policy(five_minutes)
    assert_swapped(recorder, str(five_minutes), five_minutes)
    after = recorder.line.status()["remaining"]
    assert before is not None
    assert after is not None
    # A countdown begun afresh would have 60 s again.
    assert 0 < after <= before <= 59.7
    assert recorder.kinds() == ["lost", "countdown", "policy"]


def test_a_policy_of_the_settings_that_cannot_be_read(
    make_line: MakeLine, nowhere: str, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.wasm"
    recorder = make_line(nowhere, policy=str(missing))
    recorder.line.connect()
    event = recorder.until("policy")
    assert event.name == "five-minutes"
    assert str(missing) in (event.message or "")
    assert "No such file" in (event.message or "")
    assert recorder.line.status()["policy"]["origin"] == "built-in"
    recorder.until("save")


def test_a_policy_that_is_given_wins_over_the_settings(
    make_line: MakeLine, nowhere: str, tmp_path: Path, five_minutes: Path
) -> None:
    missing = str(tmp_path / "missing.wasm")
    recorder = make_line(nowhere, five_minutes.read_bytes(), policy=missing, cleanup_timeout=300)
    recorder.line.connect()
    assert_swapped(recorder, "bytes", five_minutes)
