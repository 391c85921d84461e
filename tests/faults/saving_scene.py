"""What tests of the fallback chain share: many Blenders lose one server, and what they leave."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender

from tests.blender.stage import Stage

# An outage of 2 s, for Blenders that have nothing to show but how they end.
QUICK: Mapping[str, float] = {
    "retry_delay": 0.05,
    "retry_delay_max": 0.1,
    "cleanup_timeout": 1,
    "warn_before": 0.5,
    "quit_floor": 0.5,
}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and immutable files need root")


def launch_all(stage: Stage, files: Mapping[str, Path | None]) -> dict[str, Blender]:
    """A connected Blender for each user.

    One after the other: the first leaves the others its shaders, which take seconds to compile.
    """
    return {user: stage.launch(file, user) for user, file in files.items()}


def lose(stage: Stage, *blenders: Blender) -> None:
    """The server dies; each Blender cleans up, and ends with exit code 0."""
    stage.engine.kill()
    for blender in blenders:
        stage.assert_closed(blender)


def not_saved(blender: Blender) -> list[str]:
    """The reasons that it gave, one for each step that failed."""
    start = "[WARNING] Blender file not saved: "
    lines = [line.text for line in blender.lines.all()]
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def saving(blender: Blender) -> list[str]:
    """The paths that it began to write."""
    start = "[INFO] Saving Blender file: "
    lines = [line.text for line in blender.lines.all()]
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def user_data(stage: Stage) -> Path:
    """The recovery folder of somebody who has set none."""
    return stage.profile.folder / "datafiles" / "cr8_recovery"


def recovery_copy(blender: Blender, folder: Path) -> Path:
    """The copy that it has saved last, in this folder, for its user alone.

    Nothing else is in the folder but copies with their records.
    """
    copy = Path(saving(blender)[-1])
    assert copy.parent == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert path.suffix in (".blend", ".json"), f"left over: {path}"
        assert path.with_suffix(".blend").exists(), f"a record without its copy: {path}"
        assert path.with_suffix(".json").exists(), f"a copy without its record: {path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    return copy


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Nobody can change it, root neither; of a folder: its list of files."""
    _run("chattr", "+i", path)
    try:
        yield
    finally:
        _run("chattr", "-i", path)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of this size at the folder, in memory."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder)
    try:
        yield folder
    finally:
        # Lazily: whoever still has a file open there must not keep it mounted for ever.
        _run("umount", "--lazy", folder)


def _run(program: str, *arguments: str | Path) -> None:
    subprocess.run([program, *map(str, arguments)], check=True)


# Work that no compression makes smaller: an image with these bytes packed.
GROW = """
import os
image = bpy.data.images.new("Ballast", 1, 1)
image.use_fake_user = True
data = os.urandom({size})
image.pack(data=data, data_len=len(data))
"""


def grow(blender: Blender, size: int) -> str:
    """Make its work this many bytes larger; the SHA-256 of what was added."""
    digest: str = blender.run(
        GROW.format(size=size) + "import hashlib; result = hashlib.sha256(data).hexdigest()"
    )
    return digest
