"""The fallback chain in one Blender, and without an outage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness.blender import Blender
from lifeline_harness.display import Display

from tests.blender.stage import Stage, edit, staged
from tests.faults.saving_scene import QUICK

# Gives `attempt`, which saves by a chain of these folders [path, shared], the record of a copy,
# and `unclaimed`.
PRELUDE = """
import errno, os
from pathlib import Path

import cr8_router
from cr8_router.lifeline import recovery, saving
from cr8_router.lifeline.errors import SaveError
from cr8_router.lifeline.recovery_store import Owner, RecoveryFolder, RecoveryStore
from cr8_router.lifeline.saving import images, verification, writing

def store_of(folders, user="zoe"):
    each = [RecoveryFolder(Path(path), shared) for path, shared in folders]
    return RecoveryStore(each, Owner(user))

def attempt(folders, **options):
    try:
        saved = saving.save(store_of(folders), **options)
    except SaveError as error:
        return {"reasons": list(error.reasons)}
    return {
        "path": os.fsencode(saved.path).decode(errors="replace"),
        "recovery": saved.recovery,
        "failures": list(saved.failures),
    }

def unclaimed(folders):
    return [record.recovery_path for record in store_of(folders).unclaimed()]
"""


class Chain:
    """Runs code in the one Blender, which has this file open, edited."""

    def __init__(self, stage: Stage, blender: Blender) -> None:
        self.stage = stage
        self.blender = blender
        self.file = stage.file

    def run(self, code: str, **names: object) -> Any:
        """names: set before it runs."""
        assigned = "".join(f"{name} = {value!r}\n" for name, value in names.items())
        return self.blender.run(PRELUDE + assigned + code)


@pytest.fixture(scope="module")
def one_blender(
    tmp_path_factory: pytest.TempPathFactory, display: Display, template: Path
) -> Iterator[Chain]:
    with staged(tmp_path_factory.mktemp("chain"), display, template, **QUICK) as stage:
        yield Chain(stage, stage.launch(stage.file))


@pytest.fixture
def chain(one_blender: Chain, template: Path) -> Chain:
    """The file is as it was before any test, and open."""
    one_blender.file.write_bytes(template.read_bytes())
    one_blender.run(f"bpy.ops.wm.open_mainfile(filepath={str(one_blender.file)!r})")
    edit(one_blender.blender)
    return one_blender
