"""A native module that is missing or not for this machine: one sentence says so, and what next."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeline_harness import packages

from tests.blender.conftest import MakeStage
from tests.faults.bpy_process import start

REGISTER = """
import sys
sys.path.insert(0, {addons!r})
import bpy
bpy.context.preferences.system.use_online_access = True
import cr8_router
cr8_router.register()
path = list(sys.path)
cr8_router.unregister()
print("left behind:", [entry for entry in path if "vendor" in entry])
"""
MISSING = "is missing: install the add-on from its zip, which contains it, and enable it again"
UNFIT = r"does not fit this Blender on Linux \w+ with Python 3\.11 and glibc [\d.]+ \(.*{reason}"
START_SECONDS = 60.0


def remove(vendor: Path) -> None:
    shutil.rmtree(vendor)


def of_another_machine(vendor: Path) -> None:
    (vendor / "cr8_lifeline" / "_native.abi3.so").write_bytes(b"\xcf\xfa\xed\xfe" * 100)


def for_a_later_glibc(vendor: Path) -> None:
    native = vendor / "cr8_lifeline" / "_native.abi3.so"
    content = native.read_bytes()
    assert content.count(b"GLIBC_2.28\0") == 1
    native.write_bytes(content.replace(b"GLIBC_2.28\0", b"GLIBC_9.28\0"))


def of_another_system(vendor: Path) -> None:
    folder = vendor / "cr8_lifeline"
    (folder / "_native.abi3.so").rename(folder / "_native.pyd")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (remove, MISSING),
        (of_another_machine, UNFIT.format(reason="invalid ELF header")),
        (for_a_later_glibc, UNFIT.format(reason="GLIBC_9.28' not found")),
        (of_another_system, UNFIT.format(reason="_native")),
    ],
    ids=["missing", "machine", "glibc", "system"],
)
def test_it_cannot_be_used(
    make_stage: MakeStage, spoil: Callable[[Path], None], sentence: str
) -> None:
    stage = make_stage()
    addons = stage.profile.folder / "unpacked"
    with zipfile.ZipFile(packages.legacy()) as legacy:
        legacy.extractall(addons)
    spoil(addons / "cr8_router" / "lifeline" / "vendor")
    blender = start(stage, REGISTER.format(addons=str(addons)))
    assert blender.wait_exit(START_SECONDS) == 0
    complaints = blender.lines.matching(r"^\[(WARNING|ERROR|CRITICAL)\]|Traceback")
    assert len(complaints) == 1, blender.lines.tail(100)
    said = blender.lines.matching(rf"^\[ERROR\] The native module cr8_lifeline {sentence}")
    assert said == complaints
    assert blender.lines.matching(r"^left behind: \[\]$")
