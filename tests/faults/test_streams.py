"""Nobody takes what Blender writes: a pipe that is full, a disk that hangs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness.waiting import wait_until

from tests.blender.conftest import MakeStage
from tests.blender.observe import CLOSING, SAVING, wait_phase
from tests.blender.stage import edit
from tests.faults.outcome import assert_kept
from tests.faults.streams import STDERR, STDOUT, Pipe, start

LOST = r"(?m)^\[WARNING\] The log has lost (\d+) lines?: "
# Of a Blender that somebody else's add-on fills with words, from C and from Python.
CHATTER = """
import os, sys
def chatter():
    print("a word " * 100)
    print("a word " * 100, file=sys.stderr, flush=True)
    try:
        bpy.ops.wm.save_as_mainfile(filepath="/nowhere/at/all.blend", copy=True)
    except RuntimeError:
        pass
    return 0.2
bpy.app.timers.register(chatter, persistent=True)
"""
# Each write to the log file waits for ever, as on a disk that is gone.
HANG = """
import threading
from cr8_router.lifeline import log_file
log_file._File.write = lambda *_: threading.Event().wait()
"""
# More than may wait, without printing them all.
SAY = """
from cr8_router.lifeline import log
for number in range(30_000):
    log._file.emit(log.logger.makeRecord("x", 20, "", 0, f"line {number}", (), None))
"""


@pytest.mark.parametrize(
    "descriptors", [(STDOUT,), (STDERR,), (STDOUT, STDERR)], ids=["stdout", "stderr", "both"]
)
def test_a_pipe_that_nobody_reads(
    make_stage: MakeStage, tmp_path: Path, descriptors: tuple[int, ...]
) -> None:
    """Full from before the loss to Blender's end."""
    stage = make_stage(cleanup_timeout=2)
    with Pipe(tmp_path / "pipe") as pipe:
        blender = start(stage, pipe, *descriptors)
        edit(blender)
        pipe.fill()
        stage.engine.kill()
        assert_kept(stage, blender, stage.file)


def test_others_print_in_the_outage(make_stage: MakeStage, tmp_path: Path) -> None:
    """From Blender's own C and from Python, on the main thread."""
    stage = make_stage(cleanup_timeout=4)
    with Pipe(tmp_path / "pipe") as pipe:
        blender = start(stage, pipe, STDOUT, STDERR)
        edit(blender)
        pipe.fill()
        stage.engine.kill()
        wait_phase(blender, "counting-down")
        blender.run(CHATTER)
        assert_kept(stage, blender, stage.file)


def test_what_is_lost_is_counted(make_stage: MakeStage, tmp_path: Path) -> None:
    """And told once somebody reads; then the lines are there, in order."""
    stage = make_stage(cleanup_timeout=300)
    with Pipe(tmp_path / "pipe") as pipe:
        blender = start(stage, pipe, STDOUT)
        edit(blender)
        pipe.fill()
        said = blender.run(
            "import cr8_router.lifeline.log\n"
            "for number in range(20_000):\n"
            "    cr8_router.lifeline.log.logger.info('line %d %s', number, 'x' * 100)\n"
            "result = number + 1"
        )
        stage.engine.kill()
        wait_phase(blender, "counting-down")
        pipe.read()
        wait_until("the lost lines", lambda: re.search(LOST, pipe.text()), 30)
        numbers = [int(it) for it in re.findall(r"(?m)\[INFO\] line (\d+) x{100}$", pipe.text())]
        assert numbers == list(range(len(numbers)))
        assert 0 < len(numbers) < said
        lost = sum(int(it) for it in re.findall(LOST, pipe.text()))
        # One may be cut, and some were of the outage.
        assert lost >= said - len(numbers)
        blender.run("bpy.ops.cr8.save_and_close()")
        assert_kept(stage, blender, stage.file)
        wait_until("the last line", lambda: "Blender quit" in pipe.text(), 30)
        assert re.search(SAVING, pipe.text(), re.MULTILINE)
        assert re.search(CLOSING, pipe.text(), re.MULTILINE)


def test_nothing_is_lost_that_is_read(make_stage: MakeStage, tmp_path: Path) -> None:
    """Blender's own lines neither, to the last; and in an outage no more than before."""
    stage = make_stage(cleanup_timeout=2)
    with Pipe(tmp_path / "pipe") as pipe:
        pipe.read()
        blender = start(stage, pipe, STDOUT)
        edit(blender)
        stage.engine.kill()
        assert_kept(stage, blender, stage.file)
        wait_until("the last line", lambda: "Blender quit" in pipe.text(), 30)
    said = pipe.text()
    ours = [line for line in said.splitlines() if line.startswith("[")]
    at = [
        next(number for number, line in enumerate(ours) if re.search(end, line))
        for end in ("Connected to server", "Server unreachable after", SAVING, CLOSING)
    ]
    assert at == sorted(at)
    assert 'Info: Saved "' in said
    assert not re.search(LOST, said)


def test_the_stream_is_given_back(make_stage: MakeStage, tmp_path: Path) -> None:
    """With the server: it is the same pipe, whose other users have never noticed."""
    where = "import os; result = [os.readlink(f'/proc/self/fd/{fd}') for fd in (1, 2)]"
    stage = make_stage(cleanup_timeout=300)
    with Pipe(tmp_path / "pipe") as pipe:
        pipe.read()
        blender = start(stage, pipe, STDOUT, STDERR)
        before = blender.run(where)
        stage.engine.kill()
        wait_phase(blender, "counting-down")
        assert blender.run(where) != before
        blender.run("import os; os.write(1, b'in the outage\\n'); os.write(2, b'and this\\n')")
        stage.engine.start()
        stage.wait_connected(blender)
        blender.wait_alive("the pipe again", lambda: blender.run(where) == before, 30)
        blender.run("import os; os.write(1, b'after it\\n')")
        wait_until("what was said", lambda: "in the outage\nand this\n" in pipe.text(), 30)
        wait_until("what was said", lambda: "after it\n" in pipe.text(), 30)


def test_a_log_file_on_a_disk_that_hangs(make_stage: MakeStage, tmp_path: Path) -> None:
    """To Blender's end, which does not wait for it either."""
    stage = make_stage(log_file=str(tmp_path / "log.jsonl"), cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(HANG + SAY)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


def test_a_log_file_on_a_disk_that_hangs_for_a_while(make_stage: MakeStage, tmp_path: Path) -> None:
    """Not all can wait for it: what is lost is counted."""
    file = tmp_path / "log.jsonl"
    stage = make_stage(log_file=str(file))
    blender = stage.launch(stage.file)
    blender.run(
        "import threading\n"
        "from cr8_router.lifeline import log_file\n"
        "write, gone_on = log_file._File.write, threading.Event()\n"
        "log_file._File.write = lambda *line: gone_on.wait() and write(*line)\n"
        + SAY
        + "gone_on.set()"
    )
    blender.wait_alive("all that is written or lost", lambda: _accounted(file) == 30_000, 30)
    assert any(line["event"] == "lines-lost" for line in _lines(file))


def _accounted(file: Path) -> int:
    """How many of what was said is there, or counted as lost; 0: it is just being written."""
    try:
        lines = _lines(file)
    except (ValueError, FileNotFoundError):
        return 0
    lost = [int(line["fields"]["lines"]) for line in lines if line["event"] == "lines-lost"]
    return sum(lost) + len([line for line in lines if line["message"].startswith("line ")])


def _lines(file: Path) -> list[dict[str, Any]]:
    """With the older ones, which stand beside it."""
    parts = sorted(file.parent.glob(f"{file.name}*"))
    return [json.loads(line) for part in parts for line in part.read_bytes().splitlines()]


# What a script may put in the place of Python's own streams.
STRANGE = """
import sys
class Strange:
    def write(self, *_): raise ReferenceError
    def flush(self): raise SystemExit
sys.stdout = sys.stderr = Strange()
"""
ANEW = """
import io, sys
sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), encoding="utf-8", write_through=True)
import cr8_router
cr8_router.unregister()
cr8_router.register()
"""


def test_something_else_in_the_place_of_standard_output(make_stage: MakeStage) -> None:
    """Whatever it raises, the order to save is carried out."""
    stage = make_stage(cleanup_timeout=2)
    blender = stage.launch(stage.file)
    edit(blender)
    blender.run(STRANGE)
    stage.engine.kill()
    assert_kept(stage, blender, stage.file)


def test_standard_output_opened_anew(make_stage: MakeStage, tmp_path: Path) -> None:
    """As scripts do for another encoding: it leads to the same pipe, which is full."""
    stage = make_stage(cleanup_timeout=2)
    with Pipe(tmp_path / "pipe") as pipe:
        blender = start(stage, pipe, STDOUT)
        blender.run(ANEW)
        stage.wait_connected(blender)
        edit(blender)
        pipe.fill()
        blender.run("import logging; logging.getLogger('cr8_router').warning('nobody reads this')")
        stage.engine.kill()
        assert_kept(stage, blender, stage.file)
