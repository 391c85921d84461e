"""A day in the life of a rented machine: its disk goes away, and the store has all there is."""

from __future__ import annotations

import shutil
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from lifeline_harness.gateway import Gateway
from lifeline_harness.object_store import ObjectStore
from lifeline_harness.uploads import Answer, cut

from tests.blender.conftest import MakeStage
from tests.blender.stage import EDIT, Stage, edit
from tests.faults.outcome import assert_closed_once, assert_kept
from tests.faults.saving_scene import grow

# The real ones are 90 MiB, 100 MB and 300 MB: a tenth of them, as near as S3 allows.
PART = 5 << 20
LIMIT = 6_000_000
SIZE = 16_000_000
KEY = "ann/job.blend"


def rented(make_stage: MakeStage, store: ObjectStore, gateway: Gateway) -> Stage:
    """Whose work is safe once it is in the store."""
    target = store.target(store.begin(KEY), 9, PART, port=gateway.port)
    stage = make_stage(
        cleanup_timeout=1, save_target=target, safe="uploaded", upload_timeout=2, unsaved_wait=90
    )
    stage.secrets += [store.secret, "X-Amz-Signature"]
    return stage


def wipe(stage: Stage) -> None:
    """The machine is gone: of it nothing is left but what is in the store."""
    for name in ("datafiles", "config"):
        shutil.rmtree(stage.profile.folder / name, ignore_errors=True)
    for file in stage.profile.folder.glob("*.blend*"):
        file.unlink()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("down", [False, True], ids=["store-up", "store-down-at-first"])
def test_the_work_is_in_the_store_when_the_disk_is_gone(
    make_stage: MakeStage, tmp_path: Path, down: bool
) -> None:
    with ObjectStore(tmp_path / "store") as store, Gateway(store.port, LIMIT) as gateway:
        stage = rented(make_stage, store, gateway)
        blender = stage.launch(stage.file)
        edit(blender)
        grow(blender, SIZE)
        if down:
            store.stop()
        else:
            gateway.fail(cut(1_000_000), Answer("read", HTTPStatus.SERVICE_UNAVAILABLE))
        stage.engine.kill()
        if down:
            blender.wait_for_line(r"^.ERROR. .*stays on this machine", 60)
            blender.wait_alive("still there", lambda: True, 5)
            store.start()
        entry = assert_kept(stage, blender, stage.file)
        assert_closed_once(blender)
        assert (entry["safe"], entry["wanted"]) == ("uploaded", "uploaded")
        assert store.sha256(KEY) == entry["saves"][-1]["sha256"]
        assert len([status for status in gateway.statuses("PUT") if status == 200]) >= 4
        assert 413 not in gateway.statuses("PUT")

        wipe(stage)
        # As the real engine does it: over whatever is there.
        store.fetch(KEY, stage.file)
        stage.engine.restart()
        again = stage.launch(stage.file)
        assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(EDIT)


def test_credentials_are_renewed_while_it_works(make_stage: MakeStage, tmp_path: Path) -> None:
    """The server sends a save target before the outage; the panel says how long it is good for."""
    with ObjectStore(tmp_path / "store") as store:
        stage = make_stage(cleanup_timeout=1)
        stage.secrets += [store.secret, "X-Amz-Signature"]
        blender = stage.launch(stage.file)
        until = time.time() + 300
        data = {"save": store.url("PUT", KEY), "expires_at": until}
        stage.engine.emit("ann", "lifeline_credentials", data)
        blender.wait_for_line("Credentials were renewed: save target", 30)
        told = blender.run(
            "import cr8_router\n"
            "from cr8_router.lifeline.ui import text\n"
            "shown = text.remarks(cr8_router.handler().status(), bpy.data.filepath)\n"
            "result = [remark.text for remark in shown]"
        )
        at = time.strftime("%H:%M", time.localtime(until))
        assert told == [f"The credentials are good until {at}."]
        edit(blender)
        stage.engine.kill()
        entry = assert_kept(stage, blender, stage.file)
        assert entry["safe"] == "uploaded"
        assert store.sha256(KEY) == entry["saves"][-1]["sha256"]
