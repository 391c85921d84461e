"""Each step of the fallback chain, in one Blender and without an outage."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from tests.blender.stage import EDIT, edit, saved_location
from tests.faults.saving_chain import Chain
from tests.faults.saving_scene import grow, immutable, needs_root

FOREIGN_UID = 12345


def another_version(file: Path) -> bytes:
    """As somebody else would save it; gives its content."""
    content = file.read_bytes() + bytes(1)
    file.write_bytes(content)
    return content


def contents(*folders: Path) -> list[str]:
    return sorted(path.name for folder in folders for path in folder.iterdir())


@needs_root
def test_when_every_step_fails_each_says_why(chain: Chain, tmp_path: Path) -> None:
    no_folder, linked, open_to_all, foreign, frozen = (
        tmp_path / name for name in ("no-folder", "linked", "open", "foreign", "frozen")
    )
    no_folder.touch()
    target = tmp_path / "target"
    for folder in (target, open_to_all, foreign, frozen):
        folder.mkdir(mode=0o700)
    linked.symlink_to(target)
    open_to_all.chmod(0o777)
    os.chown(foreign, FOREIGN_UID, FOREIGN_UID)
    doomed = chain.run("result = bpy.app.tempdir + 'copies'")
    expected = [
        (chain.file, "somebody else has saved it"),
        (no_folder / "copies", "Not a directory"),
        (Path(doomed), "Blender deletes this folder when it closes"),
        (linked, "is no folder, or a link to one"),
        (open_to_all, "can be written by others"),
        (foreign, "belongs to somebody else"),
        (frozen, "Operation not permitted"),
    ]
    shared = (linked, open_to_all, foreign)
    others = another_version(chain.file)
    folders = [[str(path), path in shared] for path, _ in expected[1:]]
    with immutable(frozen):
        answer = chain.run("result = attempt(folders)", folders=folders)
    reasons = answer["reasons"]
    for reason, (path, why) in zip(reasons, expected, strict=True):
        assert reason.startswith(f"{path}: ")
        assert why in reason
        chain.blender.wait_for_line(f"^.WARNING. Blender file not saved: {path}: ", 1)
    assert contents(target, open_to_all, foreign, frozen) == []
    assert chain.file.read_bytes() == others
    assert not Path(doomed).exists()


def test_the_candidate_folders(chain: Chain) -> None:
    found = chain.run(
        "result = [[str(one.path), one.shared] for one in recovery.folders('/the/chosen/one')]"
    )
    profile = chain.stage.profile
    assert found == [
        ["/the/chosen/one", False],
        [str(profile.folder / "datafiles" / "cr8_recovery"), False],
        [str(profile.home / ".cr8_recovery"), False],
        [f"/var/tmp/cr8_recovery-{os.geteuid()}", True],  # noqa: S108 - what is expected
        [str(profile.temporary / f"cr8_recovery-{os.geteuid()}"), True],
    ]


def test_the_next_folder_is_taken(chain: Chain, tmp_path: Path) -> None:
    """And every folder on the way to it is made for us alone."""
    (tmp_path / "file").touch()
    second = tmp_path / "second" / "copies"
    answer = chain.run(
        "result = attempt(folders, in_place=False)",
        folders=[[str(tmp_path / "file" / "copies"), False], [str(second), True]],
    )
    assert answer["recovery"]
    assert Path(answer["path"]).parent == second
    assert len(answer["failures"]) == 1
    assert saved_location(Path(answer["path"])) == EDIT
    for path in (second.parent, second):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in second.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_copy_is_private_from_its_first_byte_on(chain: Chain, tmp_path: Path) -> None:
    modes = chain.run(
        """
modes = []
def look(path):
    bpy.app.handlers.save_post.append(lambda *_: modes.append(os.stat(path).st_mode & 0o777))
attempt(folders, in_place=False, begin=look)
bpy.app.handlers.save_post.pop()
now = os.umask(0)
os.umask(now)
result = [modes, now]
""",
        folders=[[str(tmp_path / "copies"), False]],
    )
    before = os.umask(0)
    os.umask(before)
    assert modes == [[0o600], before]


def test_work_in_any_folder_is_found_again(chain: Chain) -> None:
    """Here in the last one, the system's temporary folder."""
    copy = chain.run(
        """
bpy.ops.wm.read_homefile(app_template="")
bpy.data.objects["Cube"].location = place
last = recovery.folders(None)[-1:]
result = str(saving.save(RecoveryStore(last, Owner("yva"))).path)
""",
        place=EDIT,
    )
    assert Path(copy).parent.parent == chain.stage.profile.temporary
    again = chain.stage.launch(None, "yva")
    again.wait_for_line(f"Recovered unsaved work from {copy}$", 30)
    again.close()


def test_a_copy_in_any_folder_is_pointed_out(chain: Chain) -> None:
    """When the file that it was made of is opened."""
    copy = chain.run(
        """
from cr8_router.lifeline import session
last = recovery.folders(None)[-1:]
copy = saving.save(RecoveryStore(last, Owner("ann")), in_place=False)
path = bpy.data.filepath
bpy.ops.wm.read_homefile(app_template="")
session._session.recovery.step()
bpy.ops.wm.open_mainfile(filepath=path)
result = str(copy.path)
"""
    )
    chain.blender.wait_for_line(f"its last work is in the recovery copy {copy}$", 30)


@pytest.mark.parametrize("size", [0, 5_000_000])
@pytest.mark.parametrize("same", [True, False])
def test_a_file_whose_time_alone_has_changed_is_older_than_its_copy(
    chain: Chain, size: int, same: bool
) -> None:
    """It was touched, or fetched anew. Of another one nothing is said: it may be newer."""
    if size:
        grow(chain.blender, size)
    chain.run("bpy.ops.wm.save_mainfile()")
    chain.blender.wait_alive(
        "what the file holds",
        lambda: bool(chain.run("result = saving.open_file.content != ''")),
        30,
    )
    copy = chain.run(
        """
import time
from cr8_router.lifeline import session
copy = saving.save(RecoveryStore(recovery.folders(None)[-1:], Owner("ann")), in_place=False)
path = bpy.data.filepath
bpy.ops.wm.read_homefile(app_template="")
session._session.recovery.step()
if not same:
    with open(path, "r+b") as file:
        file.seek(-100, 2)
        file.write(b"!")
os.utime(path, (time.time() + 60, time.time() + 60))
bpy.ops.wm.open_mainfile(filepath=path)
result = str(copy.path)
""",
        same=same,
    )
    said = f"its last work is in the recovery copy {copy}$"
    if same:
        chain.blender.wait_for_line(said, 30)
    else:
        seen = "result = [session._session.recovery._looking, session._session.recovery._seen]"
        settled = f"from cr8_router.lifeline import session\n{seen}"
        wanted = [False, str(chain.file)]
        chain.blender.wait_alive("the look", lambda: chain.run(settled) == wanted, 30)
        assert not chain.blender.lines.matching(said)


def test_what_others_may_have_put_there_is_not_opened(chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folders = [[str(folder), True]]
    path = chain.run("result = attempt(folders, in_place=False)", folders=folders)["path"]
    assert chain.run("result = unclaimed(folders)", folders=folders) == [path]
    folder.chmod(0o770)
    assert chain.run("result = unclaimed(folders)", folders=folders) == []


def test_a_disk_that_gives_no_word(chain: Chain, tmp_path: Path) -> None:
    """A copy in doubt goes when another is safe. Of several in doubt, the newest stays."""
    folders = [[str(tmp_path / name), False] for name in ("a", "b")]
    first, second = (tmp_path / name for name in ("a", "b"))
    failing = """
real = verification.flush_folder
def flush(folder):
    if failing == "all" or str(folder) == failing:
        raise OSError(errno.EIO, "Input/output error")
    real(folder)
verification.flush_folder = flush
result = attempt(folders, in_place=False)
verification.flush_folder = real
"""
    answer = chain.run(failing, folders=folders, failing="all")
    assert len(answer["reasons"]) == 2
    assert all("Input/output error" in reason for reason in answer["reasons"])
    (doubtful,) = first.glob("*.blend")
    assert contents(second) == []
    assert chain.run("result = unclaimed(folders)", folders=folders) == [str(doubtful)]

    edit(chain.blender, (1.0, 2.0, 3.0))
    chain.run(failing, folders=folders, failing="all")
    (newer,) = first.glob("*.blend")
    assert saved_location(newer) == (1.0, 2.0, 3.0)
    assert contents(second) == []

    answer = chain.run(failing, folders=folders, failing=str(first))
    assert contents(first) == []
    assert Path(answer["path"]).parent == second
    assert len(answer["failures"]) == 1


def test_a_file_system_that_cannot_flush(chain: Chain) -> None:
    answer = chain.run(
        """
def fsync(_descriptor):
    raise OSError(errno.EINVAL, "Invalid argument")
real, os.fsync = os.fsync, fsync
result = attempt([])
os.fsync = real
"""
    )
    assert answer == {"path": str(chain.file), "recovery": False, "failures": []}


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        ("lambda: {'CANCELLED'}", "Blender gave up saving"),
        ("lambda: {'FINISHED'}", "the file has not changed"),
        ("lambda: path.unlink() or {'FINISHED'}", "No such file or directory"),
        ("lambda: path.write_bytes(b'') or {'FINISHED'}", "the file is empty"),
        ("lambda: path.write_bytes(b'BLEND') and {'FINISHED'}", "not a Blender file"),
    ],
)
def test_blenders_word_is_not_believed(chain: Chain, operator: str, reason: str) -> None:
    """As if that had been its save."""
    said = chain.run(
        f"""
path = Path(bpy.data.filepath)
try:
    writing.write(path, {operator})
except SaveError as error:
    result = str(error)
"""
    )
    assert said == f"{chain.file}: {reason}"


def test_a_file_that_ends_too_soon(chain: Chain) -> None:
    said = chain.run(
        """
class Short:
    st_size = os.stat(bpy.data.filepath).st_size + 1
real, os.fstat = os.fstat, lambda _descriptor: Short
try:
    verification.verify(Path(bpy.data.filepath), None)
except SaveError as error:
    result = str(error)
finally:
    os.fstat = real
"""
    )
    size = chain.file.stat().st_size
    assert said == f"{chain.file}: {size} of its {size + 1} bytes can be read back"


# What Python may lack: a thread more, its hashes, or their sense.
LACKING = {
    "nothing": "pass",
    "threads": "hashing.threading = types.SimpleNamespace(Thread=NoThread)",
    "hashes": "hashing._sha256 = None",
    "sense": "hashing._sha256 = Broken",
}


@pytest.mark.parametrize("lacking", LACKING)
@pytest.mark.parametrize("size", [7, (8 << 20) + 1, (13 << 20) - 5])
def test_what_is_read_back_is_hashed(chain: Chain, tmp_path: Path, size: int, lacking: str) -> None:
    path = tmp_path / "a.blend"
    path.write_bytes(b"BLENDER" + os.urandom(size - 7))
    found = chain.run(
        f"""
import threading, types
from cr8_router.lifeline.saving import hashing
thread = hashing.prepare()
if thread is not None:
    thread.join()
class NoThread(threading.Thread):
    def start(self):
        raise RuntimeError("can't start new thread")
class Broken:
    def __init__(self, usedforsecurity):
        pass
    def update(self, chunk):
        raise OSError("Input/output error")
kept = hashing.threading, hashing._sha256
try:
    {LACKING[lacking]}
    result = verification.verify(Path(path), None)
finally:
    hashing.threading, hashing._sha256 = kept
""",
        path=str(path),
    )
    if size == 7 or lacking in ("hashes", "sense"):
        assert found is None  # the host does it
    else:
        assert found[:2] == [size, hashlib.sha256(path.read_bytes()).hexdigest()]


def test_hashes_are_imported_once_and_not_at_the_save(chain: Chain) -> None:
    assert chain.run(
        """
from cr8_router.lifeline.saving import hashing
kept, hashing._sha256 = hashing._sha256, None
try:
    without = hashing.Hashing().hexdigest()
    hashing.prepare().join()
    result = [without, hashing._sha256 is not None, hashing.prepare()]
finally:
    hashing._sha256 = kept
"""
    ) == [None, True, None]


def test_an_older_native_module_is_told_of_a_save_as_it_knows_it(chain: Chain) -> None:
    """An add-on that is updated in a running Blender still has the one that was loaded first."""
    told = chain.run(
        """
from cr8_router.lifeline.saving.verification import Digest
from cr8_router.lifeline.connection.connection import Connection
class Older:
    told = []
    def saved(self, ticket, path, *, recovery=False, failures=()):
        self.told.append([ticket, str(path), recovery, list(failures)])
handler = Connection(Older(), None, None)
digest = Digest(9, "ab" * 32, 0.5)
handler._tell_saved(7, saving.Saved(Path("/a.blend"), True, digest, ("read-only",)))
result = Older.told
"""
    )
    assert told == [[7, "/a.blend", True, ["read-only"]]]


def test_who_is_told_cannot_stop_the_save(chain: Chain) -> None:
    answer = chain.run(
        """
def begin(path):
    assert Path(bpy.data.filepath) == path
    told.append([str(path), path.read_bytes() == before])
    raise RuntimeError("nobody listens")
told, before = [], Path(bpy.data.filepath).read_bytes()
result = [attempt([], begin=begin), told]
"""
    )
    saved = {"path": str(chain.file), "recovery": False, "failures": []}
    assert answer == [saved, [[str(chain.file), True]]]
    assert saved_location(chain.file) == EDIT


def test_an_image_that_cannot_be_packed(chain: Chain) -> None:
    """Nothing else is lost for it."""
    answer = chain.run(
        """
def pack(image):
    if image.name == "Bad":
        raise RuntimeError("Error: no\\nroom")
    real(image)
real, images._pack = images._pack, pack
made = [bpy.data.images.new(name, 8, 8) for name in ("Bad", "Good")]
for one in made:
    one.use_fake_user = True
    one.pixels[0] = 0.5
    one.update()
result = [attempt([]), [len(one.packed_files) for one in made]]
images._pack = real
"""
    )
    assert answer == [
        {
            "path": str(chain.file),
            "recovery": False,
            "failures": ["the unsaved pixels of image Bad: no room"],
        },
        [0, 1],
    ]
    assert saved_location(chain.file) == EDIT


def test_newer_work_takes_the_place_of_an_older_copy(chain: Chain, tmp_path: Path) -> None:
    """Nobody waits for the older one any more; it stays. Of another file, it is left alone."""
    folders = [[str(tmp_path / "copies"), False]]
    older, newer, waiting, after = chain.run(
        """
older, newer = (attempt(folders, in_place=False)["path"] for _ in range(2))
waiting = unclaimed(folders)
assert attempt(folders)["recovery"] is False
result = [older, newer, waiting, unclaimed(folders)]
""",
        folders=folders,
    )
    assert waiting == [newer]
    assert after == []
    assert Path(older).exists()
    of_this, waiting = chain.run(
        """
of_this = attempt(folders, in_place=False)["path"]
bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
attempt(folders)
result = [of_this, unclaimed(folders)]
""",
        folders=folders,
    )
    assert waiting == [of_this]


def test_a_copy_of_a_copy_belongs_to_the_same_file(chain: Chain, tmp_path: Path) -> None:
    """Else untitled work that was recovered, and could not be saved again, is never found."""
    folders = [[str(tmp_path / "copies"), False]]
    originals = chain.run(
        """
bpy.ops.wm.read_homefile(app_template="")
bpy.ops.wm.open_mainfile(filepath=attempt(folders, in_place=False)["path"])
attempt(folders, in_place=False)
result = [record.original_path for record in store_of(folders).unclaimed()]
""",
        folders=folders,
    )
    assert originals == ["", ""]


def test_a_name_that_is_not_utf8(chain: Chain, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.blend"
    answer = chain.run(
        """
bpy.ops.wm.save_as_mainfile(filepath=os.fsdecode(path))
before = os.stat(path).st_ino
result = [attempt(folders), os.stat(path).st_ino != before]
open(path, "ab").write(b"\\0")
result.append(attempt(folders))
""",
        path=path,
        folders=[[str(tmp_path / "copies"), False]],
    )
    saved, changed, copied = answer
    assert (saved["recovery"], saved["failures"], changed) == (False, [], True)
    assert copied["recovery"]
    assert "caf�.blend: somebody else" in copied["failures"][0]


def test_a_name_with_a_line_end_forges_no_line(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "a\n[ERROR] forged\x1b[2J.blend"
    answer = chain.run(
        """
bpy.ops.wm.save_as_mainfile(filepath=path)
open(path, "ab").write(b"\\0")
result = attempt(folders)
""",
        path=str(path),
        folders=[[str(tmp_path / "copies"), False]],
    )
    assert answer["recovery"]
    name = r"a \[ERROR\] forged \[2J\.blend"
    chain.blender.wait_for_line(f"^.WARNING. Blender file not saved: .*{name}: somebody else", 1)


def test_a_compressed_file_stays_compressed(chain: Chain, tmp_path: Path) -> None:
    """A copy of it, too: it may not fit on the disk otherwise."""
    answer = chain.run(
        """
bpy.ops.wm.save_mainfile(compress=True)
result = [attempt(folders, in_place=in_place)["path"] for in_place in (True, False)]
""",
        folders=[[str(tmp_path / "copies"), False]],
    )
    for path in answer:
        assert Path(path).read_bytes()[:4] == b"\x28\xb5\x2f\xfd", "not Zstandard"
    plain = chain.run(
        """
bpy.ops.wm.save_mainfile(compress=False)
result = attempt(folders)["path"]
""",
        folders=[],
    )
    assert Path(plain).read_bytes()[:7] == b"BLENDER"


def test_another_version_is_known_after_a_fresh_start(chain: Chain) -> None:
    """As when a setting is changed."""
    another_version(chain.file)
    answer = chain.run(
        """
from cr8_router.lifeline import session
session.start()
result = attempt([])
"""
    )
    (reason,) = answer["reasons"]
    assert "somebody else has saved it" in reason


def test_a_version_that_appears_while_a_copy_is_saved(chain: Chain, tmp_path: Path) -> None:
    """It does not become ours, though Blender says that something was saved."""
    answer = chain.run(
        """
def appear(*_):
    open(bpy.data.filepath, "ab").write(b"\\0")
bpy.app.handlers.save_pre.append(appear)
attempt(folders, in_place=False)
bpy.app.handlers.save_pre.remove(appear)
result = attempt([])
""",
        folders=[[str(tmp_path / "copies"), False]],
    )
    (reason,) = answer["reasons"]
    assert "somebody else has saved it" in reason


def test_a_save_that_failed_does_not_cost_the_backup(chain: Chain, template: Path) -> None:
    """What is on the disk is the user's version still, so the next save keeps it."""
    backup = Path(f"{chain.file}1")
    backup.unlink(missing_ok=True)
    chain.run(
        """
from cr8_router.lifeline.saving import in_place
def fail(path, _operator):
    raise SaveError(f"{path}: no luck")
real, in_place.write = in_place.write, fail
failed = attempt([])
in_place.write = real
assert failed == {"reasons": [f"{bpy.data.filepath}: no luck"]}, failed
assert attempt([])["failures"] == []
"""
    )
    assert backup.read_bytes() == template.read_bytes()


def test_a_file_is_locked_while_it_is_saved(chain: Chain) -> None:
    """So that of two Blenders one waits for nothing, and writes elsewhere."""
    answer = chain.run(
        """
import fcntl
with open(bpy.data.filepath, "rb") as other:
    fcntl.flock(other, fcntl.LOCK_EX)
    locked = attempt([])
result = [locked, attempt([])]
"""
    )
    locked, free = answer
    assert locked == {"reasons": [f"{chain.file}: another Blender is saving it right now"]}
    assert free["failures"] == []


def test_a_copy_whose_mode_a_save_has_changed_is_found_again(chain: Chain, tmp_path: Path) -> None:
    """Blender writes the file that one works in with the umask of the day."""
    folders = [[str(tmp_path / "copies"), False]]
    saved = chain.run(
        """
bpy.ops.wm.read_homefile()
path = attempt(folders, in_place=False)["path"]
bpy.ops.wm.open_mainfile(filepath=path)
store = store_of(folders)
store.mark_restored(store.find(Path(path)))
before = unclaimed(folders)
os.chmod(path, 0o664)
again = attempt(folders)
result = [path, before, again["recovery"], again["path"], unclaimed(folders)]
""",
        folders=folders,
    )
    path, before, recovery, again, after = saved
    assert (before, recovery, again) == ([], False, path)
    assert after == [path]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_file_that_ends_too_soon_is_not_believed_after_an_error(chain: Chain) -> None:
    """What is whole is, whatever else was reported; also of a copy."""
    said = chain.run(
        """
whole = Path(bpy.data.filepath).read_bytes()
def save(content):
    def operator():
        path.write_bytes(content)
        raise RuntimeError("Error: no texture\\n")
    return operator
path = Path(bpy.app.tempdir) / "a.blend"
result = [writing.write(path, save(whole)).report]
for content in (whole[:-40], b""):
    path.unlink()
    try:
        result.append(writing.write(path, save(content)).report)
    except SaveError as error:
        result.append(str(error))
path.unlink()
result.append(str(path))
"""
    )
    path = said.pop()
    assert said == ["no texture", f"{path}: no texture", f"{path}: no texture"]


def test_numbers_that_change_from_look_to_look(chain: Chain) -> None:
    """As on some FUSE mounts: that says nothing."""
    answer = chain.run(
        """
import itertools
numbers = itertools.count(1)
real = os.lstat
def lstat(path, **more):
    found = list(real(path, **more))
    found[1] = next(numbers)
    return Changed(found, real(path, **more).st_mtime_ns)
class Changed:
    def __init__(self, found, modified):
        self.st_mode, self.st_ino, self.st_dev = found[:3]
        self.st_uid, self.st_gid, self.st_size = found[4:7]
        self.st_mtime_ns = modified
os.lstat = lstat
try:
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    result = [attempt([])["failures"], attempt([])["failures"]]
finally:
    os.lstat = real
"""
    )
    assert answer == [[], []]


@needs_root
def test_a_write_protected_file_is_not_overwritten(chain: Chain, tmp_path: Path) -> None:
    """Blender refuses it, but to root, who may do everything."""
    before = chain.file.read_bytes()
    chain.file.chmod(0o444)
    try:
        answer = chain.run("result = attempt([[folder, True]])", folder=str(tmp_path / "copies"))
    finally:
        chain.file.chmod(0o644)
    assert answer["failures"] == [f"{chain.file}: it is write-protected (mode 0444)"]
    assert saved_location(Path(answer["path"])) == EDIT
    assert chain.file.read_bytes() == before


# For the time of one attempt: how one function of the system answers.
INSTEAD = """
import errno, os
before = {name: getattr(os, name) for name in names}
def refuse(*_args, **_options):
    raise OSError(getattr(errno, error), "as the test wants it")
for name in names:
    setattr(os, name, refuse) if error else delattr(os, name)
try:
    result = attempt([[folder, True]], in_place=False)
finally:
    for name in names:
        setattr(os, name, before[name])
"""


@pytest.mark.parametrize(
    ("names", "error"),
    [
        # macOS has none of them.
        (["posix_fadvise", "listxattr", "getxattr", "setxattr", "removexattr"], ""),
        # An object store's mount.
        (["replace", "rename"], "EPERM"),
        (["fsync"], "EROFS"),
    ],
    ids=["not there", "renaming", "flushing"],
)
def test_a_system_without_such_a_thing(
    chain: Chain, tmp_path: Path, names: list[str], error: str
) -> None:
    """The copy is whole, and found again."""
    folder = str(tmp_path / "copies")
    answer = chain.run(INSTEAD, folder=folder, names=names, error=error)
    assert answer["failures"] == []
    copy = answer["path"]
    assert saved_location(Path(copy)) == EDIT
    assert chain.run("result = unclaimed([[folder, True]])", folder=folder) == [copy]


@pytest.mark.parametrize("error", ["EIO", "ESTALE", "ETIMEDOUT", "ENOTCONN"])
def test_a_flush_that_tells_of_a_loss(chain: Chain, tmp_path: Path, error: str) -> None:
    """A server of files that is gone has not what was written to it."""
    answer = chain.run(INSTEAD, folder=str(tmp_path / "copies"), names=["fsync"], error=error)
    (reason,) = answer["reasons"]
    assert reason.endswith("as the test wants it")
