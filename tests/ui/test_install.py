"""The zips, handled by Blender's own installers: from 4.2 on an extension, before an add-on."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness import blend, bpy_module, packages
from lifeline_harness.blender import Blender
from lifeline_harness.profile import blender_executable

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said, count
from tests.blender.process_traces import line_threads, sockets_to
from tests.blender.stage import CLOSE_SECONDS, EDIT, Stage
from tests.faults.bpy_process import assert_edit_saved, start, wait_connected


@dataclass(frozen=True)
class Bpy:
    """A Blender as a Python module. variable: names the Python that has it."""

    version: tuple[int, int]
    variable: str


BPYS = [
    Bpy((4, 5), bpy_module.VARIABLE),
    Bpy((5, 0), f"{bpy_module.VARIABLE}_5_0"),
    Bpy((5, 2), f"{bpy_module.VARIABLE}_5_2"),
]

# What the add-on is called in Blender's repository for extensions from a file.
MODULE = "bl_ext.user_default.cr8_router"

INSTALL = """
import json
import bpy
bpy.context.preferences.system.use_online_access = True
assert bpy.ops.extensions.package_install_files(
    filepath={zip!r}, repo="user_default", enable_on_install=True
) == {{"FINISHED"}}

import cr8_lifeline
import {module} as addon
files = [module.__file__ for module in (addon, cr8_lifeline, cr8_lifeline._native)]
print("installed:", json.dumps(files))
"""

CLEAN_UP = """
bpy.ops.wm.open_mainfile(filepath={file!r})
bpy.data.objects["Cube"].location = {edit!r}
addon.run()
print("after the loop")
"""

# bpy starts with the factory's preferences, so the extension is there but not enabled.
# The loop ends when the add-on is gone, which a server's event brings about.
SECOND_PROCESS = """
import json, sys, time
from pathlib import Path
import bpy
import addon_utils
MODULE = {module!r}
bpy.context.preferences.system.use_online_access = True


def disable(*_):
    addon_utils.disable(MODULE, default_set=True)


def remove(*_):
    repos = bpy.context.preferences.extensions.repos
    number = [repo.module for repo in repos].index("user_default")
    assert bpy.ops.extensions.package_uninstall(
        repo_index=number, pkg_id="cr8_router"
    ) == {{"FINISHED"}}


def traces(timer):
    return {{
        "handlers": sum(
            getattr(function, "__module__", "").startswith(MODULE)
            for name in dir(bpy.app.handlers)
            if isinstance(functions := getattr(bpy.app.handlers, name), list)
            for function in functions
        ),
        "timer": bpy.app.timers.is_registered(timer),
        "panel": hasattr(bpy.types, "CR8_PT_line"),
        "listed": MODULE in bpy.context.preferences.addons,
    }}


def run_until(event, handler):
    addon = addon_utils.enable(MODULE, default_set=True)
    addon.handler().on(event, handler)
    timer = sys.modules[MODULE + ".lifeline.session"]._session.pump._timer
    before = traces(timer)
    addon.run()
    print(event + ":", json.dumps([before, traces(timer)]))
    while not Path(event).exists():
        time.sleep(0.02)


run_until("disable", disable)
run_until("remove", remove)
"""

ANSWER_SECONDS = 60.0


@pytest.fixture(params=BPYS, ids=lambda bpy: ".".join(map(str, bpy.version)))
def bpy(request: pytest.FixtureRequest) -> Bpy:
    one: Bpy = request.param
    # Debian 12 has no Python for this one; setup says what helps.
    if one.version == (5, 2) and not shutil.which(os.environ[one.variable]):
        pytest.skip("bpy 5.2 needs Python 3.13, which is not here")
    return one


LEGACY_INSTALL = """
import json
import bpy
if hasattr(bpy.context.preferences.system, "use_online_access"):
    bpy.context.preferences.system.use_online_access = True
assert bpy.ops.preferences.addon_install(filepath={zip!r}) == {{"FINISHED"}}
assert bpy.ops.preferences.addon_enable(module="cr8_router") == {{"FINISHED"}}

import cr8_lifeline
import cr8_router as addon
files = [module.__file__ for module in (addon, cr8_lifeline, cr8_lifeline._native)]
print("installed:", json.dumps(files))
"""


def folders(stage: Stage) -> tuple[Path, Path]:
    """Where Blender has put the add-on, and where what is in its wheels."""
    extensions = stage.profile.folder / "extensions"
    wheels = list((extensions / ".local").glob("lib/python*/site-packages"))
    assert len(wheels) == 1
    return extensions / "user_default" / "cr8_router", wheels[0]


def answer(blender: Blender, word: str) -> Any:
    """What the script has printed behind this word."""
    pattern = f"^{word}: "
    blender.wait_alive(word, lambda: count(blender, pattern) > 0, ANSWER_SECONDS)
    return json.loads(blender.lines.matching(pattern)[0].text.removeprefix(f"{word}: "))


def assert_no_complaint(blender: Blender) -> None:
    complaints = blender.lines.matching(r"^\[(WARNING|ERROR|CRITICAL)\]|^Error|Traceback")
    assert complaints == [], blender.lines.tail(100)


def assert_cleaned_up(stage: Stage, blender: Blender) -> None:
    """It connects, loses the server, says what it does, and ends safely."""
    assert wait_connected(stage, blender)["blend_file_path"] == str(stage.file)
    stage.engine.kill()
    stage.assert_closed(blender)
    assert_said(
        blender,
        "[INFO] 3-second server cleanup timer started",
        "[INFO] Performing server cleanup: saving file and closing Blender",
        f"[INFO] Saving Blender file: {stage.file}",
        "[INFO] Closing Blender instance",
    )
    assert not blender.lines.matching("^after the loop$")


def test_extension_installed_and_enabled(make_stage: MakeStage, bpy: Bpy) -> None:
    """It brings its own native module, and does the whole clean-up."""
    stage = make_stage(cleanup_timeout=3)
    install = INSTALL.format(zip=str(packages.extension()), module=MODULE)
    clean_up = CLEAN_UP.format(file=str(stage.file), edit=EDIT)
    blender = start(stage, install + clean_up, bpy.variable)
    addon_file, package_file, native_file = (Path(it) for it in answer(blender, "installed"))
    addon, wheels = folders(stage)
    assert addon_file == addon / "__init__.py"
    assert package_file == wheels / "cr8_lifeline" / "__init__.py"
    assert native_file.parent == wheels / "cr8_lifeline"
    assert_cleaned_up(stage, blender)
    assert_edit_saved(stage, bpy.version, bpy.variable)


def test_legacy_addon_installed_and_enabled(make_stage: MakeStage) -> None:
    """The same in a Blender that knows no extensions; the native module lies in the add-on."""
    stage = make_stage(cleanup_timeout=3)
    addons = stage.profile.folder / "scripts" / "addons"
    (addons / "cr8_router").unlink()  # a link to the source
    install = LEGACY_INSTALL.format(zip=str(packages.legacy()))
    clean_up = CLEAN_UP.format(file=str(stage.file), edit=EDIT)
    command = [blender_executable(), "--background", "--factory-startup"]
    command += ["--python-exit-code", "7", "--python-expr", install + clean_up]
    profile = replace(stage.profile, addon=False)
    blender = stage.own(Blender.spawn(profile, command, stage.engine.line("ann")))
    addon_file, package_file, native_file = (Path(it) for it in answer(blender, "installed"))
    assert addon_file == addons / "cr8_router" / "__init__.py"
    assert (
        package_file
        == addons / "cr8_router" / "lifeline" / "vendor" / "cr8_lifeline" / "__init__.py"
    )
    assert native_file.parent == package_file.parent
    assert_cleaned_up(stage, blender)
    assert tuple(blend.inspect(stage.file)["objects"]["Cube"]["location"]) == EDIT


VENDORED = """
import sys
sys.path.insert(0, {addons!r})
import bpy
bpy.ops.wm.open_mainfile(filepath={file!r})
bpy.data.objects["Cube"].location = {edit!r}
from outer.vendor.lifeline import Client
client = Client(online=True)
client.connect()
client.wait()
print("after the loop")
"""


def test_both_wheels_unpacked_into_an_addon(make_stage: MakeStage) -> None:
    """Nothing of them is on Python's path, and they find each other."""
    stage = make_stage(cleanup_timeout=3)
    vendor = stage.profile.folder / "unpacked" / "outer" / "vendor"
    for wheel in (packages.library(), packages.native()):
        with zipfile.ZipFile(wheel) as content:
            content.extractall(vendor)
    for package in (vendor, vendor.parent):
        (package / "__init__.py").touch()
    addons = str(vendor.parent.parent)
    source = VENDORED.format(addons=addons, file=str(stage.file), edit=EDIT)
    blender = start(stage, source)
    assert_cleaned_up(stage, blender)
    assert_edit_saved(stage)


def test_disabled_enabled_again_and_removed(make_stage: MakeStage) -> None:
    """Each time it leaves nothing behind, in the process or, at last, on disk."""
    stage = make_stage()
    first = start(stage, INSTALL.format(zip=str(packages.extension()), module=MODULE))
    assert first.wait_exit(ANSWER_SECONDS) == 0
    assert_no_complaint(first)
    addon, wheels = folders(stage)
    assert (addon / "__init__.py").exists()

    second = start(stage, SECOND_PROCESS.format(module=MODULE))
    for connections, event in enumerate(("disable", "remove"), start=1):
        wait_connected(stage, second, connections)
        assert line_threads(second.pid)["lifeline"] == 1
        assert sockets_to(second.pid, stage.engine.port) == 1
        stage.engine.emit("ann", event)
        before, after = answer(second, event)
        assert before.pop("handlers") > 0
        assert before == {"timer": False, "panel": True, "listed": True}  # no timers in bpy
        assert after == {"handlers": 0, "timer": False, "panel": False, "listed": False}
        second.wait_alive(
            "no thread and no socket of the line",
            lambda: not line_threads(second.pid) and not sockets_to(second.pid, stage.engine.port),
            CLOSE_SECONDS,
        )
        (stage.profile.folder / event).touch()  # it may go on
    assert second.wait_exit(CLOSE_SECONDS) == 0
    assert_no_complaint(second)
    assert count(second, r"^\[INFO\] Connected to server$") == 2  # each said once
    assert not addon.exists()
    assert not (wheels / "cr8_lifeline").exists()
