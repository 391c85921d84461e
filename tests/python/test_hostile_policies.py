"""Policies that misbehave, one test each: the work is saved, Blender closes, the reason is told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cr8_lifeline import Policy, PolicyError
from lifeline_harness.hostile import hostile, modes

from tests.python.conftest import MakeLine
from tests.python.recorder import SAVED, Recorder, ticket_of
from tests.python.server import Server

# An outage whose end nobody waits for, unless five-minutes ends it.
SETTINGS: dict[str, object] = {
    "retry_delay": 0.05,
    "cleanup_timeout": 0.8,
    "outage_limit": 1.0,
    "policy_time": 0.2,
}
SECONDS = 20.0

# What is told of a mode that is rejected in an outage. `five-minutes` ends it.
REJECTED = {
    "endless-loop": "it used up its fuel (50000000 units)",
    "memory-bomb": "it used up its fuel (50000000 units)|it did not come back within 0.2 s",
    "memory-fill": "it used up its fuel (50000000 units)",
    "memory-grow": "it used up its fuel (50000000 units)|it did not come back within 0.2 s",
    "stack-overflow": "it trapped: wasm trap: call stack exhausted",
    "trap": "it trapped: wasm trap: wasm `unreachable` instruction executed",
    "thousand-actions": "it answered with 1000 actions; 16 are allowed",
    "million-actions": "it used up its fuel (50000000 units)",
    "memo-1gb": "it trapped: ",
    "memo-8mb": "its answer has more than 1048576 bytes",
    "garbage-phase": "its phase is connected although the server is lost",
    "deadline-past": "it has not ended the outage within ",
    "deadline-max": "it asked to be woken in ",
    "quits-at-once": "it asked to quit before a save was answered",
    "never-wakes": "it left an outage without asking to be woken",
    "stale-seen": "its state was seen at ",
    "quit-before-save": "it asked to quit before a save was answered",
    "departs-from-all": "it asked to quit before a save was answered",
    "no-wake-up": "it left an outage without asking to be woken",
    "never-quits": "its countdown ends in ",
    "holds-unasked": "it holds although nobody asked for it",
    "moves-the-deadline": "its countdown ends in ",
    "panics-at-the-edge": "it trapped: wasm trap: wasm `unreachable` instruction executed",
}
# The same, while Blender saves.
SAVING = {
    "burns-fuel": "it used up its fuel|it did not come back within",
    "saves-twice": "that save was asked for before and is not answered",
}
# When a person holds, or releases.
HELD = {
    "ignores-hold": "a person keeps Blender open, but its phase is counting-down",
    "ignores-release": "it holds although nobody asked for it",
}
# What shows elsewhere, in tests of their own.
CONNECTED = {
    "quits-while-connected": "it asked for save while the server is connected",
    "save-while-connected": "it asked for save while the server is connected",
    "ignores-reconnect": " although the server is connected",
}
ALONE = {
    "five-minutes",
    "long-strings",
    "keeps-a-secret",
    "wakes-every-0ms",
    "forgets-retry-of-failed-save",
    "panics-when-cut-off",
}


def test_every_mode_has_its_test() -> None:
    outages = REJECTED.keys() | SAVING.keys() | HELD.keys()
    assert set(modes()) == outages | CONNECTED.keys() | ALONE


def told(recorder: Recorder) -> list[str]:
    """Why answers were dropped, as the log says."""
    recorder.poll()
    return [line for line in recorder.log().splitlines() if " failed in " in line]


def assert_told(recorder: Recorder, reasons: str) -> None:
    lines = told(recorder)
    assert lines, recorder.log()
    for line in lines:
        assert any(reason in line for reason in reasons.split("|")), line
    last = recorder.line.status()["policy"]["last_failure"]
    assert last is not None
    assert any(reason in last for reason in reasons.split("|"))


def save_and_close(recorder: Recorder) -> None:
    """What Blender does: it claims the save, answers it, claims the quit, and is told to close."""
    ticket = ticket_of(recorder.until("save", SECONDS))
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED)
    assert recorder.line.claim(ticket_of(recorder.until("quit", SECONDS)))
    recorder.until("close", SECONDS)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where what was compiled is kept."""
    return str(tmp_path_factory.mktemp("cache"))


Begin = Callable[..., Recorder]


@pytest.fixture
def begin(make_line: MakeLine, nowhere: str, cache: str) -> Begin:
    """A mode decides in an outage, with these settings.

    Whoever is compiled still when the attempts are over would have nothing more to say in them, so
    that is done before.
    """

    def begin(mode: str, **settings: object) -> Recorder:
        first = make_line(nowhere, hostile(mode), **SETTINGS, policy_cache=cache)
        first.line.connect()
        first.until("policy", SECONDS)
        first.line.close()
        settings = {**SETTINGS, "policy_cache": cache, **settings}
        recorder = make_line(nowhere, hostile(mode), **settings)
        recorder.line.connect()
        return recorder

    return begin


@pytest.mark.parametrize("mode", REJECTED)
def test_in_an_outage(begin: Begin, mode: str) -> None:
    recorder = begin(mode)
    save_and_close(recorder)
    assert_told(recorder, REJECTED[mode])


def test_over_connections_that_did_not_last() -> None:
    policy = Policy(hostile("panics-when-cut-off"))
    up = policy.on_connect(policy.start(0).state, 0).state
    policy.on_disconnect(up, 0, "server-disconnect")
    with pytest.raises(PolicyError, match="unreachable"):
        policy.on_disconnect(up, 0, "server-disconnect", cut_off=1)


@pytest.mark.parametrize("mode", CONNECTED)
def test_while_connected(make_line: MakeLine, own_server: Server, mode: str, username: str) -> None:
    # A server takes its time to start: nothing comes to its end meanwhile.
    patient: dict[str, object] = {"cleanup_timeout": 60, "outage_limit": 120}
    account: dict[str, object] = {"username": username, "token": own_server.token}
    recorder = make_line(own_server.url, hostile(mode), **{**SETTINGS, **patient, **account})
    recorder.line.connect()
    recorder.until("connected")
    recorder.until("policy")
    # A policy that was not there yet at the connection sees the next one.
    own_server.kill()
    recorder.until("lost")
    own_server.start()
    recorder.until("connected", SECONDS)
    recorder.keep_polling(0.5)
    assert not {"save", "quit"} & set(recorder.kinds())
    assert recorder.line.status()["phase"] == "connected"
    assert_told(recorder, CONNECTED[mode])
    own_server.kill()
    recorder.until("lost")
    recorder.line.close_now()
    save_and_close(recorder)


@pytest.mark.parametrize("mode", ["five-minutes", "keeps-a-secret"])
def test_what_does_no_harm(begin: Begin, mode: str) -> None:
    """A secret that would be kept between two calls would show: the memo is part of the state."""
    recorder = begin(mode)
    save_and_close(recorder)
    assert told(recorder) == []
    policy = recorder.line.status()["policy"]
    assert (policy["origin"], policy["failures"]) == ("bytes", 0)


def test_always_in_a_hurry(begin: Begin) -> None:
    recorder = begin("wakes-every-0ms", cleanup_timeout=4, outage_limit=60)
    save_and_close(recorder)
    assert recorder.log().count("always asks to be woken at once") == 1


@pytest.mark.parametrize("mode", SAVING)
def test_while_a_save_is_waited_for(begin: Begin, mode: str) -> None:
    recorder = begin(mode)
    ticket = ticket_of(recorder.until("save", SECONDS))
    recorder.keep_polling(1.0)
    assert_told(recorder, SAVING[mode])
    assert recorder.line.claim(ticket)
    recorder.line.saved(ticket, SAVED)
    assert recorder.line.claim(ticket_of(recorder.until("quit", SECONDS)))
    recorder.until("close", SECONDS)


@pytest.mark.parametrize("end", ["release", "close_now"])
@pytest.mark.parametrize("mode", HELD)
def test_while_a_person_holds(begin: Begin, mode: str, end: str) -> None:
    recorder = begin(mode)
    recorder.until("countdown", SECONDS)
    recorder.line.hold()
    recorder.until("held")
    # Longer than the countdown.
    recorder.keep_polling(2.0)
    assert not {"save", "quit"} & set(recorder.kinds())
    assert recorder.line.status()["phase"] == "held"
    getattr(recorder.line, end)()
    save_and_close(recorder)
    assert_told(recorder, HELD[mode])


def test_the_clock_on_the_wall(begin: Begin) -> None:
    """With fuel for much longer; which a busy computer may use up before it looks at the clock."""
    in_time, out_of_fuel = "it did not come back within 0.1 s", "it used up its fuel"
    for _try in range(10):
        recorder = begin("endless-loop", policy_fuel=2_000_000_000, policy_time=0.1)
        save_and_close(recorder)
        assert_told(recorder, f"{in_time}|{out_of_fuel}")
        if any(in_time in line for line in told(recorder)):
            return
    pytest.fail("the clock has never come first")


def test_a_failed_save_that_is_not_made_again(begin: Begin) -> None:
    recorder = begin("forgets-retry-of-failed-save")
    ticket = ticket_of(recorder.until("save", SECONDS))
    assert recorder.line.claim(ticket)
    recorder.line.save_failed(ticket, ["the disk is full"])
    save_and_close(recorder)
    assert_told(recorder, "no save was asked for|it has not ended the outage within ")


# What is not even taken


def cut(component: bytes) -> bytes:
    return component[: len(component) // 2]


# An instance import in a component: of WASI, and of an interface of one's own.
def importing(name: str) -> bytes:
    """A component that imports an instance with nothing in it."""
    text = name.encode()
    section = bytes([1, 0, len(text)]) + text + b"\5\0"
    return b"\0asm\x0d\0\1\0" + b"\7\3\1\x42\0" + bytes([10, len(section)]) + section


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "imports WASI": (
        lambda _: importing("wasi:clocks/monotonic-clock@0.2.0"),
        "it imports wasi:clocks/monotonic-clock@0.2.0; a policy imports nothing",
    ),
    "imports one of its own": (
        lambda _: importing("mine:secrets/door"),
        "it imports mine:secrets/door; a policy imports nothing",
    ),
    "contract 0.2": (
        lambda good: good.replace(b"policy@0.2.0", b"policy@0.3.0"),
        "it speaks version 0.3.0 of the contract; this host takes 0.1.0 and 0.2.0",
    ),
    "a core module": (lambda _: b"\0asm\1\0\0\0", "it is a core module; a policy is a component"),
    "a text file": (lambda _: b"(component)", "it is not WebAssembly"),
    "empty": (lambda _: b"", "the file is empty"),
    "cut": (cut, "it is cut off or broken"),
    "100 MB": (lambda good: good + bytes(100_000_000), "a policy may have 67108864"),
    "another component": (lambda _: b"\0asm\x0d\0\1\0", "it does not export cr8:lifeline/policy"),
    "strings of 1 MB": (lambda _: hostile("long-strings"), "its describe() failed: its answer has"),
}


@pytest.fixture
def counting_down(make_line: MakeLine, nowhere: str) -> Recorder:
    recorder = make_line(nowhere, **{**SETTINGS, "cleanup_timeout": 3.0})
    recorder.line.connect()
    recorder.until("countdown", SECONDS)
    return recorder


def assert_refused(recorder: Recorder, reason: str) -> None:
    message = recorder.until("policy", SECONDS).message or ""
    assert reason in message, message
    now = recorder.line.status()["policy"]
    assert now["origin"] == "built-in"
    assert now["refused"] is not None
    assert reason in now["refused"]["reason"]


@pytest.mark.parametrize("kind", REFUSED)
def test_bytes_that_are_refused(
    counting_down: Recorder, tmp_path: Path, five_minutes: Path, kind: str
) -> None:
    make, reason = REFUSED[kind]
    file = tmp_path / "policy.wasm"
    file.write_bytes(make(five_minutes.read_bytes()))
    counting_down.line.swap_policy(file)
    assert_refused(counting_down, reason)
    save_and_close(counting_down)


def test_cut_at_every_kilobyte(counting_down: Recorder, five_minutes: Path) -> None:
    whole = five_minutes.read_bytes()
    for end in range(0, len(whole), 1024):
        counting_down.line.swap_policy(whole[:end])
    for end in range(0, len(whole), 1024):
        message = counting_down.until("policy", SECONDS).message or ""
        assert "five-minutes 0.1.0" in message, f"cut at {end}: {message}"
    assert counting_down.line.status()["policy"]["origin"] == "built-in"
    save_and_close(counting_down)


def test_a_folder_and_a_pipe(counting_down: Recorder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wasm"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        counting_down.line.swap_policy(path)
        assert_refused(counting_down, "it is not an ordinary file")
    save_and_close(counting_down)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may read everything."""
    nobody = 65534
    with ExitStack() as back:
        if os.geteuid() == 0:
            back.callback(os.seteuid, 0)
            os.seteuid(nobody)
        yield


def test_a_file_without_read_permission(counting_down: Recorder, five_minutes: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "policy.wasm"
        file.write_bytes(five_minutes.read_bytes())
        file.chmod(0o000)
        with as_nobody():
            counting_down.line.swap_policy(file)
            assert_refused(counting_down, "the file cannot be read: Permission denied")
    save_and_close(counting_down)
