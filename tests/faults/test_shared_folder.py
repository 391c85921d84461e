"""A recovery folder that another user of the machine may write to, and what he leaves in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage
from tests.blender.stage import EDIT, edit, saved_location
from tests.faults.saving_scene import lose, needs_root, recovery_copy

pytestmark = needs_root

NEIGHBOUR = 4321
# As he runs it: a copy that names the user, links to her file where a draft may go, and pipes.
PLANT = """
import json, os, shutil, sys
from datetime import datetime, timedelta, timezone
folder, blend, precious = sys.argv[1:]
os.chdir(folder)
shutil.copyfile(blend, "planted.blend")
now = datetime.now(timezone.utc)
record = {"recovery_path": "", "original_path": "", "username": "ann",
          "saved_at": (now + timedelta(days=1)).isoformat()}
for name in ("planted", "linked", "large"):
    with open(f"{name}.json", "w") as file:
        json.dump(record, file)
os.symlink(blend, "linked.blend")
os.truncate("large.json", 1 << 32)
os.mkfifo("pipe.json")
os.mkfifo("pipe.blend")
for seconds in range(600):
    at = f"{now + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}"
    os.symlink(precious, f"{at}-ann-1.json~")
"""


@pytest.fixture(params=[0o777, 0o1777], ids=["writable", "sticky"])
def shared(request: pytest.FixtureRequest) -> Iterator[Path]:
    """For all users of the machine."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(request.param)
    yield folder
    shutil.rmtree(folder)


def plant(shared: Path, blend: Path, precious: Path) -> None:
    python = [sys.executable, "-I", "-S", "-c", PLANT, str(shared), str(blend), str(precious)]
    identity = [f"--reuid={NEIGHBOUR}", f"--regid={NEIGHBOUR}", "--clear-groups"]
    subprocess.run(["/usr/bin/setpriv", *identity, *python], check=True)


def opened(blender: Blender) -> str:
    return str(blender.run("result = bpy.data.filepath"))


def test_what_a_neighbour_has_left_is_neither_opened_nor_written_through(
    make_stage: MakeStage, shared: Path, template: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("hers")
    with tempfile.TemporaryDirectory() as readable:
        Path(readable).chmod(0o755)
        blend = Path(readable) / "his.blend"
        shutil.copyfile(template, blend)
        blend.chmod(0o644)
        plant(shared, blend, precious)
        stage = make_stage(cleanup_timeout=1, recovery_dir=str(shared))
        blender = stage.launch(None)
        edit(blender)
        lose(stage, blender)
        copy = recovery_copy(blender, shared / f"cr8_recovery-{os.geteuid()}")
        assert saved_location(copy) == EDIT
        assert precious.read_text() == "hers"

        stage.engine.restart()
        again = stage.launch(None)
        if shared.stat().st_mode & 0o1000:
            again.wait_for_line(f"Recovered unsaved work from {copy}$", 30)
            assert opened(again) == str(copy)
        else:
            # Whoever may rename the folder could put another one in its place.
            again.wait_for_line(f"Unsaved work is in {copy}, where others may write", 30)
            assert opened(again) == ""
