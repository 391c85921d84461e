"""No room where the file is, nor where recovery copies were to go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lifeline_harness import blend
from lifeline_harness.display import Display

from tests.blender.stage import Setting, staged
from tests.faults.saving_scene import (
    QUICK,
    grow,
    lose,
    needs_root,
    not_saved,
    recovery_copy,
    saving,
    small_disk,
    user_data,
)

pytestmark = needs_root

MEGABYTES = 8


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """For files, and for recovery copies."""
    with ExitStack() as undo:
        yield (
            undo.enter_context(small_disk(tmp_path / "files", MEGABYTES)),
            undo.enter_context(small_disk(tmp_path / "recovery", MEGABYTES)),
        )


def test_disk_full_in_place_and_in_the_recovery_folder(
    tmp_path: Path, disks: tuple[Path, Path], display: Display, template: Path
) -> None:
    """Ann's work finds room in the recovery folder that is set; Bob's only in the next one."""
    files, recovery = disks
    chosen = recovery / "copies"
    # An early copy would take the room of this one, which then goes into the next folder.
    settings: dict[str, Setting] = {**QUICK, "early_copy": 0, "recovery_dir": str(chosen)}
    with staged(tmp_path / "stage", display, template, **settings) as stage:
        jobs = {user: files / f"{user}.blend" for user in ("ann", "bob")}
        for job in jobs.values():
            job.write_bytes(template.read_bytes())
        before = template.read_bytes()
        sizes = {"ann": 6_500_000, "bob": 20_000_000}
        blenders, work = {}, {}
        # One after the other: what one tries in vain takes the room of the other meanwhile.
        for user, job in jobs.items():
            blenders[user] = blender = stage.launch(job, user)
            work[user] = grow(blender, sizes[user])
            lose(stage, blender)
            stage.engine.start()
        ann, bob = blenders.values()

        copies = {"ann": recovery_copy(ann, chosen), "bob": recovery_copy(bob, user_data(stage))}
        for user, copy in copies.items():
            assert blend.inspect(copy)["images"]["Ballast"]["packed"] == work[user]
            assert jobs[user].read_bytes() == before
        assert sorted(path.name for path in files.iterdir()) == ["ann.blend", "bob.blend"]

        (in_place,) = not_saved(ann)
        assert in_place.startswith(f"{jobs['ann']}: ")
        assert "MB are free there" in in_place
        in_place, in_folder = not_saved(bob)
        assert in_place.startswith(f"{jobs['bob']}: ")
        assert in_folder.startswith(f"{chosen}/")
        assert saving(bob)[0] == str(jobs["bob"])
        assert Path(saving(bob)[1]).parent == chosen
