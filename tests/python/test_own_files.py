"""Files in folders that others may write to; as another user, where that is possible."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ADDON = Path(__file__).parents[2] / "addon" / "lifeline"


def module(name: str) -> ModuleType:
    """Of the add-on, without the package's own code, which wants Blender."""
    package = sys.modules.setdefault("cr8_router_files", ModuleType("cr8_router_files"))
    package.__path__ = [str(ADDON)]
    return importlib.import_module(f"cr8_router_files.{name}")


own_files = module("own_files")
NotOursError: type[OSError] = own_files.NotOursError

LIMIT = 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.json"
    own_files.replace(path, b"{}")
    return path


def test_what_was_written_is_read_and_is_private(file: Path) -> None:
    assert own_files.read(file, LIMIT) == b"{}"
    assert own_files.is_ours(file)
    assert file.stat().st_mode & 0o777 == 0o600
    own_files.replace(file, b"[]")
    assert file.read_bytes() == b"[]"
    assert os.listdir(file.parent) == [file.name]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_text("mine")
    link.symlink_to(precious)
    with pytest.raises(OSError, match="link"):
        own_files.read(link, LIMIT)
    assert not own_files.is_ours(link)
    with pytest.raises(OSError, match="link"):
        own_files.make_private(link)
    own_files.replace(link, b"other")
    assert precious.read_text() == "mine"
    assert not link.is_symlink()


def test_nobody_waits_for_the_other_end_of_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(NotOursError, match="it is no file"):
        own_files.read(pipe, LIMIT)
    # Without a reader it cannot even be opened.
    with pytest.raises(OSError, match=str(pipe)):
        own_files.make_private(pipe)


def test_what_others_may_have_written_is_not_read(file: Path) -> None:
    file.chmod(0o660)
    with pytest.raises(NotOursError, match="can be written by others"):
        own_files.read(file, LIMIT)
    own_files.make_private(file)
    assert own_files.read(file, LIMIT) == b"{}"
    os.link(file, file.with_suffix(".other"))
    with pytest.raises(NotOursError, match="another name"):
        own_files.read(file, LIMIT)


def test_more_than_anybody_wrote_is_not_read(file: Path) -> None:
    os.truncate(file, LIMIT + 1)
    with pytest.raises(NotOursError, match="more than 100 bytes"):
        own_files.read(file, LIMIT)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "a.json"
    (folder / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        own_files.replace(folder, b"{}")
    assert os.listdir(tmp_path) == [folder.name]


def test_who_can_reach_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    assert own_files.is_out_of_reach(folder)
    assert not own_files.others_may_write(folder)
    folder.chmod(0o777)
    assert not own_files.is_out_of_reach(folder)
    assert own_files.others_may_write(folder)
    # As in /tmp, others cannot touch what is not theirs.
    folder.chmod(0o1777)
    assert own_files.is_out_of_reach(folder)
    assert own_files.others_may_write(folder)
    within = folder / "within"
    within.mkdir(mode=0o700)
    folder.chmod(0o777)
    assert not own_files.is_out_of_reach(within)
    assert not own_files.is_out_of_reach(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a file away")
def test_what_belongs_to_somebody_else_is_not_read(file: Path) -> None:
    os.chown(file, 4321, 4321)
    with pytest.raises(NotOursError, match="belongs to somebody else"):
        own_files.read(file, LIMIT)
    assert not own_files.is_ours(file)
    os.chown(file.parent, 4321, 4321)
    assert not own_files.is_out_of_reach(file.parent)
    assert own_files.others_may_write(file.parent)


def test_what_a_mount_says_of_all_files_is_no_fault(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On CIFS, say, all belong to one user, whoever makes them; on some everybody may write all."""
    with monkeypatch.context() as patched:
        patched.setattr(own_files.os, "geteuid", lambda: 4321)
        assert own_files.read(file, LIMIT) == b"{}"
        assert own_files.strangeness(file.parent.stat(), file.parent, folder=True) == ""
    real = os.lstat

    def open_to_all(path: Path) -> os.stat_result:
        found = real(path)
        return os.stat_result((found.st_mode | 0o777, *found[1:]))

    with monkeypatch.context() as patched:
        patched.setattr(own_files.os, "lstat", open_to_all)
        assert own_files.is_ours(file)
    file.chmod(0o666)
    assert not own_files.is_ours(file)
    assert os.listdir(file.parent) == [file.name]
