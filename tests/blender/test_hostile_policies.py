"""Policies that misbehave, in a real Blender: it stays, goes on counting, and saves at the end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from lifeline_harness import bombs
from lifeline_harness.blender import Blender
from lifeline_harness.hostile import hostile
from lifeline_harness.policies import policy_file
from lifeline_harness.processes import descendants

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, count, wait_countdown, wait_unreachable
from tests.blender.stage import EDIT, edit, saved_location
from tests.blender.test_policies import deadline, policy, swap, wait_policy

# Whatever they answer, five-minutes is what counts: with this much of its countdown left.
COUNTDOWN = 900
SECONDS = 60.0

# Rejected three times in the outage, and disabled. The reason, or a part of it.
REJECTED = {
    "endless-loop": "it used up its fuel",
    "memory-bomb": "it used up its fuel|it did not come back",
    "memory-fill": "it used up its fuel",
    "memory-grow": "it used up its fuel|it did not come back",
    "stack-overflow": "call stack exhausted",
    "trap": "unreachable",
    "million-actions": "it used up its fuel",
    "memo-1gb": "it trapped",
    "memo-8mb": "its answer has more than 1048576 bytes",
    "garbage-phase": "its phase is connected although the server is lost",
    "deadline-max": "it asked to be woken in ",
    "quits-at-once": "it asked to quit before a save was answered",
    "never-wakes": "it left an outage without asking to be woken",
    "stale-seen": "its state was seen at ",
}
# They do no harm that the guard would have to stop in this time.
HARMLESS = ("wakes-every-0ms", "keeps-a-secret")


def refused(folder: Path) -> dict[Path, str]:
    """Files that are not taken at all, with the reason."""
    good = policy_file("five-minutes").read_bytes()
    imports = b"\7\3\1\x42\0" + b"\x0a\x0a\1\0\5types\5\0"
    files = {
        "text": (b"(component)", "it is not WebAssembly"),
        "empty": (b"", "the file is empty"),
        "core": (b"\0asm\1\0\0\0", "it is a core module"),
        "cut": (good[:10_240], "it is cut off or broken"),
        "importing": (b"\0asm\x0d\0\1\0" + imports, "it imports types; a policy imports nothing"),
        "newer": (good.replace(b"policy@0.2.0", b"policy@0.3.0"), "it speaks version 0.3.0"),
        "large": (good + bytes(100_000_000), "a policy may have 67108864"),
        "nested": (
            bombs.in_policy(good, bombs.nested_locals(4_000, 9_000)),
            "locals within blocks",
        ),
        "talkative": (hostile("long-strings"), "its describe() failed"),
    }
    found = {}
    for name, (content, reason) in files.items():
        file = folder / f"{name}.wasm"
        file.write_bytes(content)
        found[file] = reason
    pipe = folder / "pipe.wasm"
    os.mkfifo(pipe)
    return {**found, pipe: "it is not an ordinary file", folder: "it is not an ordinary file"}


def wait_refused(blender: Blender, file: Path) -> None:
    def refused() -> bool:
        last = policy(blender)["refused"]
        return bool(last is not None and last["origin"] == str(file))

    blender.wait_alive(f"the refusal of {file.name}", refused, SECONDS)


def wait_failed(blender: Blender, mode: str, reasons: str) -> None:
    def disabled() -> bool:
        now = policy(blender)
        return bool(now["name"] == mode and now["set_aside"])

    blender.wait_alive(f"the end of {mode}", disabled, SECONDS)
    last = policy(blender)["last_failure"]
    assert any(reason in last for reason in reasons.split("|")), last


@pytest.mark.timeout(400)
def test_one_after_the_other(make_stage: MakeStage, tmp_path: Path) -> None:
    stage = make_stage(cleanup_timeout=COUNTDOWN, retry_delay_max=0.4, policy_cache="off")
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    first = wait_countdown(blender)

    folder = tmp_path / "refused"
    folder.mkdir()
    for file, reason in refused(folder).items():
        swap(blender, file)
        wait_refused(blender, file)
        assert reason in policy(blender)["refused"]["reason"]
        assert policy(blender)["origin"] == "built-in"

    for mode, reasons in REJECTED.items():
        file = tmp_path / f"{mode}.wasm"
        file.write_bytes(hostile(mode))
        swap(blender, file)
        wait_failed(blender, mode, reasons)
        assert abs(deadline(blender) - first) < 2, mode
    for mode in HARMLESS:
        file = tmp_path / f"{mode}.wasm"
        file.write_bytes(hostile(mode))
        swap(blender, file)
        wait_policy(blender, mode)
        time.sleep(2)
        assert policy(blender)["failures"] == 0, policy(blender)
        assert abs(deadline(blender) - first) < 2, mode

    assert (count(blender, SAVING), count(blender, CLOSING)) == (0, 0)
    told = [line["outcome"] for line in stage.journal.policies()]
    assert told.count("refused") == len(list(folder.iterdir())) + 1
    assert told.count("overruled") == 2 * len(REJECTED)
    assert told.count("set-aside") == len(REJECTED)
    blender.run("bpy.ops.cr8.save_and_close()")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def peak(blender: Blender) -> int:
    """The most memory that Blender has had, in bytes, since this was asked last."""
    process = Path(f"/proc/{blender.pid}")
    lines = (process / "status").read_text().splitlines()
    (most,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    (process / "clear_refs").write_text("5")
    return int(most) * 1024


# 45 KB each, or a little more: whatever looks at a component beforehand may let one through.
BOMBS = {
    "values": bombs.nested_values(4_000, 1_000),
    "more": bombs.nested_values(4_900, 1_000, 20),
    "smaller": bombs.nested_values(500, 1_000, 60),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_compiling_takes_nothing_of_blender(
    make_stage: MakeStage, tmp_path: Path, bomb: str
) -> None:
    """What would end it, or hold it up for a minute, ends a process beside it."""
    file = tmp_path / "bomb.wasm"
    good = policy_file("five-minutes").read_bytes()
    file.write_bytes(bombs.in_policy(good, BOMBS[bomb]))
    stage = make_stage(cleanup_timeout=3, policy_cache="off")
    blender = stage.launch(stage.file)
    edit(blender)
    peak(blender)
    before = peak(blender)
    swap(blender, file)
    wait_refused(blender, file)
    assert peak(blender) < before + (150 << 20)
    assert "compiling it takes more memory" in policy(blender)["refused"]["reason"]
    assert descendants(blender.pid) == []
    stage.engine.kill()
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT


def test_quits_while_connected(make_stage: MakeStage, tmp_path: Path) -> None:
    file = tmp_path / "policy.wasm"
    file.write_bytes(hostile("quits-while-connected"))
    stage = make_stage(cleanup_timeout=3, policy=str(file))
    blender = stage.launch(stage.file)
    edit(blender)
    # The next connection is one that it sees.
    stage.engine.kill()
    wait_unreachable(blender)
    stage.engine.start()
    stage.wait_connected(blender)
    time.sleep(2)
    assert (count(blender, SAVING), count(blender, CLOSING)) == (0, 0)
    assert "while the server is connected" in policy(blender)["last_failure"]
    stage.engine.kill()
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
