"""A recovery folder in which anything may lie: it is looked through, and used, all the same."""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.python.test_own_files import module

store = module("recovery_store")

ROUNDS = 40
ENTRIES = 25
SAVED_AT = "2026-11-29T12:00:00+00:00"
NAMES = ["a", "\x1b[2J", "line\n[ERROR] forged", "\u202egnp", "\udcff\udcfe", "..", "é" * 60, " "]
VALUES: list[object] = [
    0,
    -1,
    1e308,
    None,
    True,
    [],
    {},
    [[]],
    "",
    "\0",
    "x" * 5_000,
    "\ud800",
    "../../etc",
]


def _name(dice: random.Random) -> str:
    return f"{dice.choice(NAMES)}{dice.randrange(8)}"


def _record(dice: random.Random) -> bytes:
    """A record of the user's, with something wrong in most of them."""
    record: dict[str, object] = {
        "recovery_path": "/elsewhere/a.blend",
        "original_path": "/home/ann/a.blend",
        "username": "ann",
        "saved_at": SAVED_AT,
        "restored_at": "",
        "original_content": "",
    }
    if dice.random() < 0.7:
        record[dice.choice(list(record))] = dice.choice(VALUES)
    if dice.random() < 0.2:
        record[dice.choice(NAMES)] = dice.choice(VALUES)
    if dice.random() < 0.2:
        del record[dice.choice(list(record))]
    content = json.dumps(record).encode()
    if dice.random() < 0.3:
        at = dice.randrange(len(content))
        content = content[:at] + dice.randbytes(dice.randrange(4)) + content[at + 1 :]
    return content


def _content(dice: random.Random) -> bytes:
    kinds = [_record(dice)] * 5
    return dice.choice(
        [*kinds, b"", b"[]", b"5", b'"a"', b"[" * 50_000, b"9" * 5_000, b"{}" + b" " * 70_000]
    )


def _put(folder: Path, outside: Path, dice: random.Random) -> None:
    """One more entry, beside what is there."""
    path = folder / f"{_name(dice)}{dice.choice(['.json', '.json', '.blend', '.json~', ''])}"
    if os.path.lexists(path):
        return
    what = dice.randrange(12)
    if what == 0:
        path.mkdir()
    elif what == 1:
        os.mkfifo(path)
    elif what == 2:
        path.symlink_to(dice.choice([outside, folder / "nothing", path, folder]))
    elif what == 3:
        os.link(outside, path)
    else:
        path.write_bytes(_content(dice))
        path.chmod(dice.choice([0o600, 0o600, 0o600, 0o666, 0o000]))
        if path.suffix == ".json" and dice.random() < 0.8:
            copy = path.with_suffix(".blend")
            if not os.path.lexists(copy):
                copy.write_bytes(b"BLENDER")
                copy.chmod(0o600)


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("shared", [False, True])
def test_whatever_lies_there(tmp_path: Path, seed: int, *, shared: bool) -> None:
    dice = random.Random(seed)  # noqa: S311 - the same folder each time
    folder, outside = tmp_path / "recovery", tmp_path / "precious.json"
    folder.mkdir(mode=0o700)
    precious = _record(dice)
    outside.write_bytes(precious)
    for _ in range(ENTRIES):
        _put(folder, outside, dice)
    before = {path: path.lstat() for path in folder.iterdir()}
    copies = store.RecoveryStore([store.RecoveryFolder(folder, shared=shared)], store.Owner("ann"))
    for record in copies.unclaimed():
        fields = asdict(record).values()
        assert all(isinstance(field, str) for field in fields)
        # As the start looks for it.
        Path(record.original_path).exists()
        assert Path(record.recovery_path).parent == folder
        assert not Path(record.recovery_path).is_symlink()
    for path in before:
        copies.find(path.with_suffix(".blend"))
    # New work finds its place, and takes nobody's.
    original = f"/home/ann/{_name(dice)}.blend"
    copy = copies.reserve(copies.folders[0], original)
    assert copy not in before
    copy.write_bytes(b"BLENDER-new")
    copies.keep(copy, store.Original(original))
    found = [record for record in copies.unclaimed() if record.recovery_path == str(copy)]
    assert [record.original_path for record in found] == [original]
    copies.mark_restored(found[0])
    assert str(copy) not in [record.recovery_path for record in copies.unclaimed()]
    copies.give_back(copy)
    assert outside.read_bytes() == precious
    after = {path: path.lstat() for path in folder.iterdir()}
    assert {path: (it.st_ino, it.st_size) for path, it in after.items()} == {
        path: (it.st_ino, it.st_size) for path, it in before.items()
    }
