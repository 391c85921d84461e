"""What a save in place must leave as it was, must believe, and must not overwrite.

Several Blenders lose one server, each with a file to which something has happened.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lifeline_harness import blend
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display

from tests.blender.stage import EDIT, Stage, edit, saved_location, staged
from tests.faults.saving_scene import (
    QUICK,
    grow,
    launch_all,
    lose,
    needs_root,
    not_saved,
    recovery_copy,
    saving,
    user_data,
)

pytestmark = needs_root

OWNER, GROUP, FRIEND = 1000, 1001, 1002
NOTE = b"approved"
ACL = "system.posix_acl_access"

# A texture that is gone, and a file that is to have all textures in it.
AUTOPACK = """
one = bpy.data.images.new("Gone", 8, 8)
one.use_fake_user = True
one.filepath_raw, one.file_format = {path!r}, "PNG"
one.save()
one.source = "FILE"
bpy.ops.wm.save_mainfile()
bpy.data.use_autopack = True
import os
os.unlink({path!r})
"""


def acl(mode: int, friend: int) -> bytes:
    """A list by which one more user may do something (Linux, posix_acl_xattr.h)."""
    entries = [
        (0x01, mode >> 6 & 7, 0xFFFFFFFF),
        (0x02, friend, FRIEND),
        (0x04, mode >> 3 & 7, 0xFFFFFFFF),
        (0x10, friend, 0xFFFFFFFF),
        (0x20, mode & 7, 0xFFFFFFFF),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def of_a_newer_blender(file: Path) -> None:
    """As if Blender 3.5 had written it: its header says so."""
    content = file.read_bytes()
    assert content.startswith(b"BLENDER-v304")
    file.write_bytes(b"BLENDER-v305" + content[12:])


def wait_read(blender: Blender) -> None:
    """What is large is read on a thread."""
    read = "from cr8_router.lifeline import saving; result = saving.open_file.content != ''"
    blender.wait_alive("the content", lambda: bool(blender.run(read)), 30)


class Lost(NamedTuple):
    stage: Stage
    files: dict[str, Path]
    before: dict[str, bytes]
    blenders: dict[str, Blender]


@pytest.fixture(scope="module")
def lost(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Lost]:
    users = ("packed", "newer", "answered", "owned", "listed", "touched", "copied", "edited")
    with staged(tmp_path_factory.mktemp("same"), display, template, **QUICK) as stage:
        files = {user: stage.new_file(user) for user in users}
        of_a_newer_blender(files["newer"])
        of_a_newer_blender(files["answered"])
        os.chown(files["owned"], OWNER, GROUP)
        files["owned"].chmod(0o600)
        os.chown(files["listed"], OWNER, GROUP)
        files["listed"].chmod(0o640)
        os.setxattr(files["listed"], ACL, acl(0o640, 6))
        os.setxattr(files["listed"], "user.note", NOTE)
        blenders = launch_all(stage, files)
        for user in ("copied", "edited"):
            grow(blenders[user], 5_000_000)
            blenders[user].run("bpy.ops.wm.save_mainfile()")
        blenders["packed"].run(AUTOPACK.format(path=str(stage.profile.folder / "gone.png")))
        # Who saves it by hand was asked.
        blenders["answered"].run("bpy.ops.wm.save_mainfile()")
        for user in ("copied", "edited"):
            wait_read(blenders[user])
        os.utime(files["touched"])
        for user in ("copied", "edited"):
            copy = shutil.copy(files[user], stage.profile.folder / "copy")
            if user == "edited":
                content = bytearray(Path(copy).read_bytes())
                content[-100] ^= 1
                Path(copy).write_bytes(content)
            os.replace(copy, files[user])
        before = {user: file.read_bytes() for user, file in files.items()}
        for blender in blenders.values():
            edit(blender)
        lose(stage, *blenders.values())
        yield Lost(stage, files, before, blenders)


def assert_in_place(lost: Lost, user: str) -> None:
    assert not_saved(lost.blenders[user]) == []
    assert saving(lost.blenders[user]) == [str(lost.files[user])]
    assert saved_location(lost.files[user]) == EDIT


def assert_untouched(lost: Lost, user: str, reason: str) -> None:
    """The work is in a recovery copy, for a reason."""
    assert lost.files[user].read_bytes() == lost.before[user]
    assert saved_location(recovery_copy(lost.blenders[user], user_data(lost.stage))) == EDIT
    (said,) = not_saved(lost.blenders[user])
    assert said.startswith(f"{lost.files[user]}: {reason}")


def test_a_report_of_something_else_costs_no_save(lost: Lost) -> None:
    """Automatically Pack Resources, and one texture is gone."""
    assert_in_place(lost, "packed")
    entry = lost.stage.journal.last_of(lost.blenders["packed"].pid)
    (save,) = entry["saves"]
    (report,) = save["failures"]
    assert "Unable to pack file" in report
    assert "gone.png" in report
    lost.blenders["packed"].wait_for_line("^.WARNING. Not saved with it: .*gone.png", 1)


def test_a_file_of_a_newer_blender_is_not_overwritten(lost: Lost) -> None:
    assert_untouched(lost, "newer", "a newer Blender has saved it (its format is 3.5.")


def test_who_has_overwritten_it_by_hand_has_answered(lost: Lost) -> None:
    assert_in_place(lost, "answered")


def test_a_file_stays_its_owners(lost: Lost) -> None:
    assert_in_place(lost, "owned")
    found = lost.files["owned"].stat()
    assert (found.st_uid, found.st_gid) == (OWNER, GROUP)
    assert stat.S_IMODE(found.st_mode) == 0o600


def test_lists_and_notes_stay(lost: Lost) -> None:
    assert_in_place(lost, "listed")
    found = lost.files["listed"].stat()
    assert (found.st_uid, found.st_gid) == (OWNER, GROUP)
    assert os.getxattr(lost.files["listed"], ACL) == acl(0o640, 6)
    assert os.getxattr(lost.files["listed"], "user.note") == NOTE


@pytest.mark.parametrize("user", ["touched", "copied"])
def test_the_same_bytes_are_the_same_file(lost: Lost, user: str) -> None:
    """Whatever their time and their number."""
    assert_in_place(lost, user)
    if user == "copied":
        assert blend.inspect(lost.files[user])["images"]["Ballast"]["packed_size"] == 5_000_000


def test_other_bytes_are_another_file(lost: Lost) -> None:
    """Of the same size."""
    assert_untouched(lost, "edited", "somebody else has saved it")
