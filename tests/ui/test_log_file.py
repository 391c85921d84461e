"""The log as JSON lines."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said, wait_unreachable
from tests.blender.stage import edit

LEVELS = ("debug", "info", "warning", "error")


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_line_has_a_level_an_event_and_fields(make_stage: MakeStage, tmp_path: Path) -> None:
    """To the last one, and beside the lines that users of the original know."""
    file = tmp_path / "logs" / "blender.jsonl"
    stage = make_stage(log_file=str(file), cleanup_timeout=3)
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    wait_unreachable(blender)
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[INFO] 3-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {stage.file}",
        "[INFO] Closing Blender instance",
    )
    written = lines_of(file)
    for line in written:
        assert set(line) == {"time", "level", "event", "message", "fields", "pid"}, line
        assert line["level"] in LEVELS
        assert datetime.fromisoformat(line["time"]).tzinfo is not None
        assert line["pid"] == blender.pid
        assert line["event"] != "log", line  # each has a name of its own
    # What was said there, and nothing else: but for the line that the add-on itself writes.
    said = [line.text for line in blender.lines.matching(r"^\[[A-Z]+\] ")]
    said.remove("[INFO] Disconnected from server: transport error")
    assert [f"[{line['level'].upper()}] {line['message']}" for line in written] == said
    events = {line["event"]: line["fields"] for line in written}
    assert events["lost"] == {"reason": "transport-error"}
    assert events["unreachable"] == {"attempts": 5, "seconds": 3}
    assert events["save-begun"] == {"path": str(stage.file)}
    assert written[-1]["event"] == "closing"
    assert file.stat().st_mode & 0o777 == 0o600
    assert stage.engine.token not in file.read_text(encoding="utf-8")


def test_a_file_beside_the_work_does_not_keep_blender_from_starting(
    make_stage: MakeStage,
) -> None:
    """`//` is the folder of the open file, which cannot be asked for while Blender starts."""
    stage = make_stage(log_file="//beside.jsonl")
    blender = stage.launch(stage.file)
    blender.run("bpy.ops.cr8.connect()")
    stage.wait_connected(blender)
    blender.wait_alive("the log file", stage.file.with_name("beside.jsonl").exists, 10)


def test_a_file_that_cannot_be_used_is_told_and_blender_goes_on(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    stage = make_stage(log_file=str(tmp_path))  # a folder
    blender = stage.launch(stage.file)
    refused = f"[ERROR] The log file {tmp_path} is not an ordinary file: name another."
    assert refused in [line.text for line in blender.lines.all()]
