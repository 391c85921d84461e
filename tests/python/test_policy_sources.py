"""Where another policy comes from: a watched file, the server, a script; and the way back."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from cr8_lifeline.events import PolicySwap
from lifeline_harness import bombs
from lifeline_harness.journal import Journal
from lifeline_harness.processes import descendants
from lifeline_harness.waiting import wait_until

from tests.python.conftest import MakeLine
from tests.python.recorder import Recorder
from tests.python.server import Server

NOT_A_POLICY = b"\0asm\x0d\0\x01\0"


def other(component: bytes) -> bytes:
    """The same policy with another digest: a custom section at its end."""
    return component + b"\0\x03\x02hi"


def digest(component: bytes) -> str:
    return hashlib.sha256(component).hexdigest()


def policy(recorder: Recorder) -> Any:
    return recorder.line.status()["policy"]


def replace(file: Path, content: bytes) -> None:
    """As an editor does: a new file, renamed into place."""
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    draft.replace(file)


def swapped(recorder: Recorder) -> PolicySwap:
    event = recorder.until("policy", 60.0)
    assert isinstance(event, PolicySwap)
    return event


@pytest.fixture
def component(five_minutes: Path) -> bytes:
    return five_minutes.read_bytes()


@pytest.fixture
def file(tmp_path: Path, component: bytes) -> Path:
    path = tmp_path / "policy.wasm"
    path.write_bytes(component)
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


@pytest.fixture
def watching(make_line: MakeLine, nowhere: str, file: Path, journal: Journal) -> Recorder:
    """A line in its countdown, with the file as its policy."""
    settings = {"cleanup_timeout": 300, "policy": str(file), "journal": str(journal.path)}
    recorder = make_line(nowhere, **settings)
    recorder.line.connect()
    assert swapped(recorder).message is None
    assert policy(recorder)["origin"] == str(file)
    # Not by the event: it may have come before the policy.
    wait_until("the countdown", lambda: recorder.line.status()["phase"] == "counting-down", 30.0)
    return recorder


def journaled(journal: Journal, count: int) -> list[Any]:
    """The lines about policies, once there are so many."""

    def written() -> list[Any] | None:
        found = journal.policies()
        return found if len(found) >= count else None

    return wait_until("the journal's lines", written, 30.0)


# The file


def test_a_file_that_is_replaced_is_taken(
    watching: Recorder, file: Path, component: bytes, journal: Journal
) -> None:
    left = watching.line.status()["remaining"]
    replace(file, other(component))
    assert swapped(watching).message is None
    assert policy(watching)["sha256"] == digest(other(component))
    now = watching.line.status()
    assert left is not None
    assert now["remaining"] is not None
    assert left - 15 < now["remaining"] <= left
    lines = journaled(journal, 2)
    assert [line["outcome"] for line in lines] == ["taken", "taken"]
    assert lines[1]["policy"]["sha256"] == digest(other(component))
    assert (lines[1]["origin"], lines[1]["reason"]) == (str(file), None)


def test_a_broken_file_leaves_the_old_one_and_says_why(
    watching: Recorder, file: Path, component: bytes, journal: Journal
) -> None:
    file.write_bytes(NOT_A_POLICY)
    message = swapped(watching).message or ""
    assert message.startswith(f"{file}: it does not export cr8:lifeline/policy@0.2.0"), message
    now = policy(watching)
    assert now["sha256"] == digest(component)
    assert now["refused"]["sha256"] == digest(NOT_A_POLICY)
    assert now["refused"]["origin"] == str(file)
    assert now["refused"]["reason"] in message
    line = journaled(journal, 2)[1]
    assert (line["outcome"], line["refused_sha256"]) == ("refused", digest(NOT_A_POLICY))
    assert now["refused"]["reason"] in line["reason"]
    # As it was before, nothing is swapped, and the reason is gone.
    replace(file, component)
    wait_until("the reason's end", lambda: policy(watching)["refused"] is None, 10.0)
    # Broken and mended, it is taken.
    file.write_bytes(NOT_A_POLICY)
    assert swapped(watching).message is not None
    replace(file, other(component))
    assert swapped(watching).message is None
    assert policy(watching)["refused"] is None


def test_a_file_that_is_deleted_leaves_the_old_one(
    watching: Recorder, file: Path, component: bytes
) -> None:
    file.unlink()
    assert "the file is gone" in (swapped(watching).message or "")
    assert policy(watching)["sha256"] == digest(component)
    file.write_bytes(other(component))
    assert swapped(watching).message is None
    assert policy(watching)["sha256"] == digest(other(component))


def test_a_file_that_is_touched_is_the_same_policy(watching: Recorder, file: Path) -> None:
    os.utime(file)
    watching.keep_polling(0.5)
    assert watching.kinds().count("policy") == 1


def test_a_script_swaps_and_the_file_comes_back_when_it_changes(
    watching: Recorder, file: Path, component: bytes
) -> None:
    watching.line.swap_policy(other(component))
    assert swapped(watching).message is None
    assert policy(watching)["origin"] == "bytes"
    replace(file, component)
    assert swapped(watching).message is None
    assert policy(watching)["origin"] == str(file)


def test_back_to_the_file(watching: Recorder, file: Path, component: bytes) -> None:
    watching.line.swap_policy(other(component))
    swapped(watching)
    watching.line.revert_policy()
    assert swapped(watching).message is None
    now = policy(watching)
    assert (now["origin"], now["sha256"]) == (str(file), digest(component))


def test_back_to_the_built_in_one(make_line: MakeLine, nowhere: str, component: bytes) -> None:
    recorder = make_line(nowhere, other(component), cleanup_timeout=300)
    recorder.line.connect()
    swapped(recorder)
    recorder.line.revert_policy()
    assert swapped(recorder).message is None
    assert policy(recorder)["origin"] == "built-in"


# The pinned ones


def test_only_what_is_pinned_is_taken(
    make_line: MakeLine, nowhere: str, file: Path, component: bytes
) -> None:
    pins = f"{'0' * 64},{digest(component)}"
    recorder = make_line(nowhere, policy=str(file), policy_sha256=pins, cleanup_timeout=300)
    recorder.line.connect()
    assert swapped(recorder).message is None
    replace(file, other(component))
    message = swapped(recorder).message or ""
    assert f"its SHA-256 is {digest(other(component))}, which is none of those" in message
    recorder.line.swap_policy(other(component))
    assert "CR8_POLICY_SHA256" in (swapped(recorder).message or "")
    assert policy(recorder)["sha256"] == digest(component)


# The server


class Fleet:
    """A server that sends policies to one user."""

    def __init__(self, server: Server, username: str) -> None:
        self._server = server
        self._username = username
        self._answers = 0

    def push(self, component: bytes, **more: object) -> Any:
        event = {
            "id": f"push-{self._answers}",
            "sha256": digest(component),
            "wasm": base64.b64encode(component).decode(),
            **more,
        }
        return self.send(event)

    def send(self, event: object) -> Any:
        """The answer."""
        self._server.emit(self._username, "policy_update", event)
        self._answers += 1
        answer = self._server.wait_for_events(self._username, self._answers)[-1]
        assert answer["event"] == "policy_update_result"
        return answer["data"][0]


def compiling() -> bool:
    """Whether a process of ours compiles a policy."""
    return any("_compile" in process.command for process in descendants())


def test_the_way_back_does_not_wait_for_a_compiler(
    make_line: MakeLine, nowhere: str, component: bytes
) -> None:
    """What is compiled for half a minute is ended, and what waits behind it is not begun."""
    recorder = make_line(nowhere, policy_cache="off")
    recorder.line.connect()
    slow = bombs.in_policy(component, bombs.nested_locals(1, 1, 100_000))
    recorder.line.swap_policy(slow)
    recorder.line.swap_policy(other(component))
    wait_until("the compiler", compiling, 30.0)
    recorder.line.revert_policy()
    messages = [swapped(recorder).message for _ in range(3)]
    overtaken = [message for message in messages if message is not None]
    assert len(overtaken) == 2
    assert all("another policy was taken in the meantime" in message for message in overtaken)
    assert policy(recorder)["origin"] == "built-in"
    assert not compiling()


@pytest.fixture
def fleet(server: Server, username: str) -> Fleet:
    return Fleet(server, username)


@pytest.fixture
def join(make_line: MakeLine, server: Server, username: str, tmp_path: Path) -> Any:
    """A connected line that takes what the server sends, unless told otherwise."""

    def join(**more: object) -> Recorder:
        settings = {"policy_push": True, "policy_store": str(tmp_path / "store"), **more}
        recorder = make_line(server.url, username=username, token=server.token, **settings)
        recorder.line.connect()
        # Not by the event: what is told of a policy may come before it.
        wait_until("the connection", lambda: recorder.line.status()["connected"], 30.0)
        return recorder

    return join


def test_nobody_asked_for_it(join: Any, fleet: Fleet, component: bytes, tmp_path: Path) -> None:
    recorder = join(policy_push=False)
    answer = fleet.push(other(component))
    assert answer["outcome"] == "refused"
    assert "CR8_POLICY_PUSH=1" in answer["reason"]
    recorder.keep_polling(0.2)
    assert policy(recorder)["origin"] == "built-in"
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("encoding", ["base64", "gzip+base64"])
def test_a_policy_that_is_sent_is_taken_and_there_after_a_restart(
    join: Any, fleet: Fleet, component: bytes, encoding: str
) -> None:
    recorder = join()
    sent = other(component)
    packed = gzip.compress(sent) if encoding.startswith("gzip") else sent
    answer = fleet.push(sent, encoding=encoding, wasm=base64.b64encode(packed).decode())
    assert answer == {
        "id": "push-0",
        "outcome": "taken",
        "reason": None,
        "trouble": None,
        "policy": {"name": "five-minutes", "version": "0.1.0", "sha256": digest(sent)},
    }
    assert swapped(recorder).message is None
    assert policy(recorder)["origin"] == "server"
    recorder.line.close()

    again = join()
    assert swapped(again).message is None
    assert (policy(again)["origin"], policy(again)["sha256"]) == ("server", digest(sent))
    # Not allowed any more: it stays where it is, and does not count.
    again.line.close()
    never = join(policy_push=False)
    never.keep_polling(0.3)
    assert policy(never)["origin"] == "built-in"


def test_what_is_sent_broken_is_refused_and_not_kept(
    join: Any, fleet: Fleet, component: bytes
) -> None:
    recorder = join()
    answer = fleet.push(component, sha256="0" * 64)
    assert answer["outcome"] == "refused"
    assert answer["reason"].endswith("was announced")
    swapped(recorder)
    assert fleet.push(NOT_A_POLICY)["outcome"] == "refused"
    swapped(recorder)
    bomb = bombs.in_policy(component, bombs.nested_values(4_000, 1_000))
    assert "compiling it takes more memory" in fleet.push(bomb)["reason"]
    swapped(recorder)
    for event in (None, 5, {"id": "x"}, {"sha256": "0", "wasm": 7}):
        answer = fleet.send(event)
        assert answer["outcome"] == "refused"
        assert answer["reason"].startswith("policy_update")
    recorder.line.close()
    again = join()
    again.keep_polling(0.3)
    assert policy(again)["origin"] == "built-in"


def test_the_servers_way_back(join: Any, fleet: Fleet, component: bytes, file: Path) -> None:
    recorder = join(policy=str(file))
    swapped(recorder)
    assert fleet.push(other(component))["outcome"] == "taken"
    swapped(recorder)
    answer = fleet.send({"id": "back", "revert": True})
    assert (answer["id"], answer["outcome"]) == ("back", "reverted")
    swapped(recorder)
    assert policy(recorder)["origin"] == str(file)
    recorder.line.close()
    again = join(policy=str(file))
    swapped(again)
    assert policy(again)["origin"] == str(file)


def test_a_persons_way_back(join: Any, fleet: Fleet, component: bytes) -> None:
    recorder = join()
    assert fleet.push(other(component))["outcome"] == "taken"
    swapped(recorder)
    recorder.line.revert_policy()
    assert swapped(recorder).message is None
    assert policy(recorder)["origin"] == "built-in"
    recorder.line.close()
    again = join()
    again.keep_polling(0.3)
    assert policy(again)["origin"] == "built-in"


def test_what_is_swapped_in_later_counts_after_a_restart_too(
    join: Any, fleet: Fleet, component: bytes, file: Path
) -> None:
    recorder = join(policy=str(file))
    swapped(recorder)
    fleet.push(other(component))
    swapped(recorder)
    replace(file, other(other(component)))
    swapped(recorder)
    assert policy(recorder)["origin"] == str(file)
    recorder.line.close()
    again = join(policy=str(file))
    swapped(again)
    assert policy(again)["origin"] == str(file)


def test_a_kept_policy_that_was_altered_is_refused(
    join: Any, fleet: Fleet, component: bytes, file: Path, tmp_path: Path
) -> None:
    recorder = join()
    fleet.push(other(component))
    recorder.line.close()
    (kept,) = (tmp_path / "store").glob("*.wasm")
    kept.write_bytes(component)
    again = join(policy=str(file))
    assert "was announced" in (swapped(again).message or "")
    # The file of the settings is next.
    assert swapped(again).message is None
    assert policy(again)["origin"] == str(file)


def test_a_pin_holds_for_the_server_too(join: Any, fleet: Fleet, component: bytes) -> None:
    join(policy_sha256=digest(component))
    assert "CR8_POLICY_SHA256" in fleet.push(other(component))["reason"]
    assert fleet.push(component)["outcome"] == "taken"


def test_a_store_that_cannot_be_written_is_told(
    join: Any, fleet: Fleet, component: bytes, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("in the way")
    recorder = join()
    swapped(recorder)  # what was kept cannot be read
    answer = fleet.push(other(component))
    assert answer["outcome"] == "taken"
    assert answer["trouble"].startswith("it will not be there after a restart: ")
    swapped(recorder)
    assert policy(recorder)["origin"] == "server"
