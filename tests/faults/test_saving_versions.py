"""No save destroys what somebody else has saved, or what the user has saved before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display

from tests.blender.conftest import MakeStage
from tests.blender.stage import EDIT, Stage, edit, saved_location, staged
from tests.faults.saving_scene import (
    QUICK,
    launch_all,
    lose,
    not_saved,
    recovery_copy,
    saving,
    user_data,
)

OTHER = (-4.0, 0.5, 8.75)

SAVE = """
import cr8_router
from cr8_router.lifeline import saving
result = str(saving.save(cr8_router.lifeline.session.connection()._store).path)
"""
PREFERENCES = """
preferences = bpy.context.preferences
result = [preferences.filepaths.save_version, preferences.is_dirty]
"""


class Lost(NamedTuple):
    stage: Stage
    shared: Path
    replaced: Path
    others: bytes
    deleted: Path
    blenders: dict[str, Blender]


@pytest.fixture(scope="module")
def lost(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Lost]:
    """Ann and Bob have the same file open; somebody has replaced Cat's, and deleted Dan's."""
    with staged(tmp_path_factory.mktemp("versions"), display, template, **QUICK) as stage:
        shared, replaced, deleted = map(stage.new_file, ("shared", "replaced", "deleted"))
        blenders = launch_all(
            stage, {"ann": shared, "bob": shared, "cat": replaced, "dan": deleted}
        )
        for user, blender in blenders.items():
            edit(blender, OTHER if user == "bob" else EDIT)
        new = Path(shutil.copy(template, stage.profile.folder / "new"))
        new.write_bytes(others := template.read_bytes() + bytes(1))
        new.replace(replaced)
        # Which does not make the version that is there now Cat's own.
        mine = stage.profile.folder / "mine.blend"
        blenders["cat"].run(f"bpy.ops.wm.save_as_mainfile(filepath={str(mine)!r}, copy=True)")
        number = replaced.stat().st_ino
        deleted.unlink()
        lose(stage, *blenders.values())
        assert replaced.stat().st_ino == number
        yield Lost(stage, shared, replaced, others, deleted, blenders)


def test_two_blenders_with_the_same_file(lost: Lost) -> None:
    """They lose their server at the same instant. Who saves first has the file."""
    places = {"ann": EDIT, "bob": OTHER}
    first, second = sorted(places, key=lambda user: len(not_saved(lost.blenders[user])))
    assert saving(lost.blenders[first]) == [str(lost.shared)]
    assert saved_location(lost.shared) == places[first]
    copy = recovery_copy(lost.blenders[second], user_data(lost.stage))
    assert saved_location(copy) == places[second]
    (reason,) = not_saved(lost.blenders[second])
    assert reason.startswith(f"{lost.shared}: ")
    assert "somebody else has saved it" in reason or "another Blender is saving it" in reason


def test_the_version_of_somebody_else_is_not_overwritten(lost: Lost) -> None:
    assert lost.replaced.read_bytes() == lost.others
    copy = recovery_copy(lost.blenders["cat"], user_data(lost.stage))
    assert saved_location(copy) == EDIT
    (reason,) = not_saved(lost.blenders["cat"])
    assert reason.startswith(f"{lost.replaced}: somebody else has saved it")


def test_a_deleted_file_is_saved_again(lost: Lost) -> None:
    assert not_saved(lost.blenders["dan"]) == []
    assert saved_location(lost.deleted) == EDIT


def test_the_users_last_version_outlives_two_clean_ups(
    make_stage: MakeStage, template: Path
) -> None:
    stage = make_stage(**QUICK)
    backup = Path(f"{stage.file}1")
    blender = stage.launch(stage.file)
    preferences = blender.run(PREFERENCES)
    assert preferences[0] == 1
    for place in (EDIT, OTHER):
        edit(blender, place)
        assert blender.run(SAVE) == str(stage.file)
        assert backup.read_bytes() == template.read_bytes()
    assert blender.run(PREFERENCES) == preferences
    # The user saves again: that is the version to keep now.
    blender.run("bpy.ops.wm.save_mainfile()")
    stage.file.chmod(0o640)
    own = stage.file.read_bytes()
    assert blender.run(SAVE) == str(stage.file)
    assert backup.read_bytes() == own
    edit(blender)
    lose(stage, blender)
    assert backup.read_bytes() == own
    assert saved_location(stage.file) == EDIT
    # As private as it was: Blender alone would make it readable for everybody.
    assert stage.file.stat().st_mode & 0o777 == 0o640
