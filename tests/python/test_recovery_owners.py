"""Whose a recovery copy is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.python.test_own_files import module

store = module("recovery_store")

ANN = ("ann", "ws://one/ws/socket.io/", "chairs")


def copies_of(folder: Path, *owner: str) -> list[Path]:
    found = store.RecoveryStore([store.RecoveryFolder(folder)], store.Owner(*owner)).unclaimed()
    return [Path(record.recovery_path) for record in found]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """One of hers."""
    anns = store.RecoveryStore([store.RecoveryFolder(tmp_path / "copies")], store.Owner(*ANN))
    path: Path = anns.reserve(anns.folders[0], "")
    path.write_bytes(b"BLENDER-v304")
    anns.keep(path, store.Original(""))
    return path


def test_it_is_its_users(copy: Path) -> None:
    assert copies_of(copy.parent, *ANN) == [copy]


@pytest.mark.parametrize("field", range(3))
def test_who_differs_in_one_thing_is_somebody_else(copy: Path, field: int) -> None:
    """The user, the server, the project; and whoever gives none."""
    for other in ("another", ""):
        owner = list(ANN)
        owner[field] = other
        assert copies_of(copy.parent, *owner) == []


def test_one_of_an_earlier_version_goes_by_its_name(copy: Path) -> None:
    record = copy.with_suffix(".json")
    fields = json.loads(record.read_text(encoding="utf-8"))
    for name in ("server", "project", "cause", "content"):
        del fields[name]
    record.write_text(json.dumps(fields), encoding="utf-8")
    assert copies_of(copy.parent, *ANN) == [copy]
    assert copies_of(copy.parent, "bob", *ANN[1:]) == []
