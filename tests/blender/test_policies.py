"""Another policy in the middle of a countdown."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.policies import older_policy_file, policy_file

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said, wait_countdown, wait_phase
from tests.blender.stage import EDIT, edit, saved_location, status

# A policy written in Python takes half a minute to compile, or more on a busy machine.
COMPILE_SECONDS = 240.0


def policy(blender: Blender) -> Any:
    return status(blender)["policy"]


def swap(blender: Blender, file: Path) -> None:
    """As a person does who has chosen the file."""
    blender.run(f"bpy.ops.cr8.swap_policy(filepath={str(file)!r})")


def wait_policy(blender: Blender, name: str) -> int:
    """How often Blender's main thread has answered until this policy decides."""
    answers = 0

    def decides() -> bool:
        nonlocal answers
        answers += 1
        return bool(policy(blender)["name"] == name)

    blender.wait_alive(f"the policy {name}", decides, COMPILE_SECONDS)
    return answers


def decides_now(name: str) -> str:
    """What the log says of it."""
    digest = digest_of(policy_file(name))
    return f"[INFO] Policy {name} 0.1.0 ({digest[:12]}) decides now"


def deadline(blender: Blender) -> float:
    """Of the countdown, in seconds of the monotonic clock."""
    remaining = status(blender)["remaining"]
    assert isinstance(remaining, float), "no countdown"
    return time.monotonic() + remaining


@pytest.mark.timeout(480)
def test_one_after_the_other_in_mid_countdown(make_stage: MakeStage, tmp_path: Path) -> None:
    """five-minutes, render-guard, a broken one, one in Python that nobody has compiled yet."""
    watched = tmp_path / "policy.wasm"
    shutil.copy(policy_file("five-minutes"), watched)
    stage = make_stage(cleanup_timeout=600, policy=str(watched))
    blender = stage.launch(stage.file)
    edit(blender)
    blender.wait_alive("the policy", lambda: policy(blender)["origin"] == str(watched), 60)
    stage.engine.kill()
    first = wait_countdown(blender)

    # By the file that the settings name.
    draft = tmp_path / "draft.wasm"
    shutil.copy(policy_file("render-guard"), draft)
    draft.replace(watched)
    wait_policy(blender, "render-guard")
    assert abs(deadline(blender) - first) < 1

    # By the same file, half of it.
    draft.write_bytes(policy_file("patient").read_bytes()[:20_000])
    draft.replace(watched)
    blender.wait_for_line(r"^\[ERROR\] Policy not taken: .*cut off or broken", 30)
    assert policy(blender)["name"] == "render-guard"
    assert "cut off or broken" in policy(blender)["refused"]["reason"]
    assert abs(deadline(blender) - first) < 1

    # By the button; the main thread goes on answering while another one compiles.
    swap(blender, policy_file("steady"))
    assert wait_policy(blender, "steady") > 10
    assert abs(deadline(blender) - first) < 1
    assert policy(blender)["failures"] == 0

    # The next countdown is where the policy puts it: six times as far away.
    blender.run("bpy.ops.cr8.keep_open()")
    wait_phase(blender, "held")
    swap(blender, policy_file("patient"))
    wait_policy(blender, "patient")
    assert status(blender)["phase"] == "held"
    released = time.monotonic()
    blender.run("bpy.ops.cr8.release()")
    wait_phase(blender, "counting-down")
    assert released + 6 * 600 <= deadline(blender) < released + 6 * 600 + 10

    blender.run("bpy.ops.cr8.revert_policy()")
    # The file that the settings name is still half a one: the built-in policy is left.
    wait_policy(blender, "five-minutes")
    assert policy(blender)["origin"] == "built-in"
    blender.wait_for_line(r"^\[WARNING\] Back to five-minutes, since .*cut off or broken", 30)
    blender.run("bpy.ops.cr8.save_and_close()")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
    assert_said(
        blender,
        decides_now("five-minutes"),
        "[INFO] 10-minute server cleanup timer started",
        decides_now("render-guard"),
        decides_now("steady"),
        "[INFO] Blender is kept open until it is released",
        decides_now("patient"),
        "[INFO] 60-minute server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
    )
    told = [(line["outcome"], line["policy"]["name"]) for line in stage.journal.policies()]
    assert told == [
        ("taken", "five-minutes"),
        ("taken", "render-guard"),
        ("refused", "render-guard"),
        ("taken", "steady"),
        ("taken", "patient"),
        ("taken", "five-minutes"),
    ]
    assert stage.journal.entry()["policy"]["name"] == "five-minutes"


def test_two_versions_of_the_contract_in_one_countdown(make_stage: MakeStage) -> None:
    """0.1, 0.2 and 0.1 again: each goes on where the one before has been."""
    shipped = older_policy_file("five-minutes")
    stage = make_stage(cleanup_timeout=600, policy=str(shipped))
    blender = stage.launch(stage.file)
    edit(blender)
    wait_digest(blender, shipped)
    stage.engine.kill()
    first = wait_countdown(blender)
    for file in (policy_file("render-guard"), older_policy_file("render-guard")):
        swap(blender, file)
        wait_digest(blender, file)
        assert status(blender)["phase"] == "counting-down"
        assert abs(deadline(blender) - first) < 1
    assert policy(blender)["failures"] == 0
    # The one of 0.1 has the last word, and its save and quit are carried out.
    blender.run("bpy.ops.cr8.save_and_close()")
    stage.assert_closed(blender)
    assert saved_location(stage.file) == EDIT
    assert stage.journal.entry()["policy"]["sha256"] == digest_of(older_policy_file("render-guard"))


def digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def wait_digest(blender: Blender, file: Path) -> None:
    def decides() -> bool:
        return bool(policy(blender)["sha256"] == digest_of(file))

    blender.wait_alive(f"the policy in {file}", decides, 60)
