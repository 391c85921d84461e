"""The file cannot be saved in its place: the work is in a recovery copy, the file as it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display

from tests.blender.stage import EDIT, Stage, edit, saved_location, staged
from tests.faults.saving_scene import (
    QUICK,
    immutable,
    launch_all,
    lose,
    needs_root,
    not_saved,
    recovery_copy,
    saving,
    small_disk,
    user_data,
)

pytestmark = needs_root


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the file of one user, whose name is the fault's."""

    file: Callable[[Path], Path]
    """Where it is, below the folder given."""
    happens: Callable[[ExitStack, Path], object]
    """Once the file is open in Blender. What it pushes is undone in the end."""
    reason: str
    """What the log says of the file."""
    tried: bool = False
    """Whether only the attempt shows that it cannot be saved."""
    before: Callable[[Path], object] | None = None
    """Done to the file before Blender opens it."""


def _below(folder: str, name: str = "job.blend") -> Callable[[Path], Path]:
    return lambda root: root / folder / name


def _make_immutable(undo: ExitStack, file: Path) -> None:
    undo.enter_context(immutable(file))


def _make_folder_immutable(undo: ExitStack, file: Path) -> None:
    undo.enter_context(immutable(file.parent))


def _delete_folder(_undo: ExitStack, file: Path) -> None:
    file.unlink()
    file.parent.rmdir()


def _replace_by_fifo(_undo: ExitStack, file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _replace_by_folder(_undo: ExitStack, file: Path) -> None:
    file.unlink()
    file.mkdir()


def _replace_by_link(file: Path) -> None:
    real = file.with_name("real.blend")
    file.rename(real)
    file.symlink_to(real)


def _put_link_beside(_undo: ExitStack, file: Path) -> None:
    """Where Blender writes first."""
    other = file.with_name("other")
    other.write_text("precious")
    Path(f"{file}@").symlink_to(other)


def _fill_disk(_undo: ExitStack, file: Path) -> None:
    with (file.parent / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(1 << 16)):
            pass


def _nothing(_undo: ExitStack, _file: Path) -> None:
    pass


FAULTS = {
    "immutable": Fault(_below("immutable"), _make_immutable, "is not writable", tried=True),
    "readonly": Fault(
        _below("readonly"), _make_folder_immutable, "Operation not permitted", tried=True
    ),
    "gone": Fault(_below("gone"), _delete_folder, "its folder is gone"),
    "fifo": Fault(_below("fifo"), _replace_by_fifo, "no ordinary file"),
    "folder": Fault(_below("folder"), _replace_by_folder, "no ordinary file"),
    "link": Fault(_below("link"), _nothing, "a symbolic link", before=_replace_by_link),
    "draft": Fault(_below("draft"), _put_link_beside, "which is no ordinary file"),
    # Blender first writes a file whose name is one byte longer.
    "long": Fault(
        _below("long", "ä" * 124 + "n.blend"), _nothing, "File name too long", tried=True
    ),
    "full": Fault(_below("full"), _fill_disk, "0.0 MB are free there", tried=True),
}


@dataclass(frozen=True)
class Lost:
    stage: Stage
    blenders: dict[str, Blender]
    files: dict[str, Path]
    copies: dict[str, Path]


@pytest.fixture(scope="module")
def lost(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Lost]:
    root = tmp_path_factory.mktemp("elsewhere")
    with ExitStack() as undo:
        stage = undo.enter_context(staged(root / "stage", display, template, **QUICK))
        undo.enter_context(small_disk(root / "full", 4))
        files = {user: fault.file(root) for user, fault in FAULTS.items()}
        for file in files.values():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(template.read_bytes())
        for user, fault in FAULTS.items():
            if fault.before is not None:
                fault.before(files[user])
        blenders = launch_all(stage, files)
        for user, blender in blenders.items():
            edit(blender)
            FAULTS[user].happens(undo, files[user])
        lose(stage, *blenders.values())
        folder = user_data(stage)
        copies = {user: recovery_copy(blender, folder) for user, blender in blenders.items()}
        yield Lost(stage, blenders, files, copies)


@pytest.mark.parametrize("user", FAULTS)
def test_the_work_is_in_the_recovery_copy(lost: Lost, user: str) -> None:
    assert saved_location(lost.copies[user]) == EDIT


@pytest.mark.parametrize("user", FAULTS)
def test_the_log_says_why(lost: Lost, user: str) -> None:
    (reason,) = not_saved(lost.blenders[user])
    assert str(lost.files[user]) in reason
    assert FAULTS[user].reason in reason
    began = [str(lost.files[user])] if FAULTS[user].tried else []
    assert saving(lost.blenders[user]) == [*began, str(lost.copies[user])]


@pytest.mark.parametrize("user", ["immutable", "readonly", "long", "full", "draft"])
def test_the_file_is_as_it_was(lost: Lost, user: str, template: Path) -> None:
    file = lost.files[user]
    assert file.read_bytes() == template.read_bytes()
    beside = {path.name for path in file.parent.iterdir()} - {"ballast", "other", "job.blend@"}
    assert beside == {file.name}, "Blender has left something"


def test_what_is_no_ordinary_file_is_left_alone(lost: Lost) -> None:
    assert lost.files["fifo"].is_fifo()
    assert lost.files["folder"].is_dir()
    assert [path.name for path in lost.files["folder"].parent.iterdir()] == ["job.blend"]


def test_no_link_is_followed_or_replaced(lost: Lost, template: Path) -> None:
    link = lost.files["link"]
    assert link.is_symlink()
    assert link.resolve().name == "real.blend"
    assert link.read_bytes() == template.read_bytes()
    draft = Path(f"{lost.files['draft']}@")
    assert draft.is_symlink()
    assert draft.read_text() == "precious"


def test_a_folder_that_is_gone_stays_gone(lost: Lost) -> None:
    assert not lost.files["gone"].parent.exists()
