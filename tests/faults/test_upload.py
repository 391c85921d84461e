"""The saved file goes to an object store before Blender closes; what the store makes of it."""

from __future__ import annotations

import json
import time
from http import HTTPStatus

import pytest
from lifeline_harness.journal import Entry, check
from lifeline_harness.uploads import (
    ACCEPT,
    DROP,
    FORBID,
    REFUSE,
    Answer,
    Uploads,
    cut,
    slow,
    stall,
)

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_stays_connected
from tests.blender.stage import EDIT, Stage, edit, saved_location, status
from tests.faults.outcome import assert_closed_once, assert_kept
from tests.faults.saving_scene import grow


def upload_stage(
    make_stage: MakeStage, store: Uploads, timeout: float = 60, headers: str = ""
) -> Stage:
    """Whose Blenders upload there. The URL must not be in any log."""
    stage = make_stage(
        cleanup_timeout=1, save_url=store.url, upload_timeout=timeout, upload_headers=headers
    )
    stage.secrets.append(store.secret)
    return stage


def assert_kept_here(stage: Stage, store: Uploads) -> Entry:
    """An edited Blender loses its server, saves the edit here, and closes; tells no secret."""
    blender = stage.launch(stage.file)
    edit(blender)
    stage.engine.kill()
    entry = assert_kept(stage, blender, stage.file)
    assert_closed_once(blender)
    assert store.secret not in stage.journal.path.read_text(encoding="utf-8")
    return entry


def assert_uploaded(stage: Stage, store: Uploads, entry: Entry, attempts: int) -> None:
    """The store has the file, once; it took so many attempts."""
    (accepted,) = store.accepted()
    assert accepted.body == stage.file.read_bytes()
    assert len(store.requests()) == attempts
    upload = entry["upload"]
    assert upload is not None
    assert (upload["ok"], upload["attempts"]) == (True, attempts)
    assert entry["seconds"]["upload"] is not None


def test_accepted_at_once(make_stage: MakeStage) -> None:
    with Uploads(ACCEPT) as store:
        stage = upload_stage(make_stage, store)
        entry = assert_kept_here(stage, store)
        assert_uploaded(stage, store, entry, attempts=1)
        (request,) = store.requests()
        assert request.method == "PUT"
        assert store.url.endswith(request.target), "the query belongs to it"


def test_refused_then_slow_and_cut_then_accepted(make_stage: MakeStage) -> None:
    with Uploads(REFUSE, cut(300_000, rate=200_000), cut(1_000), ACCEPT) as store:
        stage = upload_stage(make_stage, store)
        blender = stage.launch(stage.file)
        edit(blender)
        assert stage.file.stat().st_size > 300_000, "too small for what is to happen to it"
        stage.engine.kill()
        store.wait_for(2)
        # While the second request is taken slowly.
        seen = status(blender)
        upload = seen["upload"]
        assert isinstance(upload, dict)
        assert (upload["state"], upload["attempt"]) == ("running", 2)
        assert upload["total"] == stage.file.stat().st_size
        assert store.secret not in json.dumps(seen)
        entry = assert_kept(stage, blender, stage.file)
        assert_uploaded(stage, store, entry, attempts=4)
        assert store.secret not in stage.journal.path.read_text(encoding="utf-8")


def test_slow(make_stage: MakeStage) -> None:
    """Blender does not close before all of it is there."""
    with Uploads(slow(400_000)) as store:
        stage = upload_stage(make_stage, store)
        entry = assert_kept_here(stage, store)
        assert_uploaded(stage, store, entry, attempts=1)


def test_forbidden(make_stage: MakeStage) -> None:
    """No retry would change that."""
    with Uploads(FORBID) as store:
        stage = upload_stage(make_stage, store)
        entry = assert_kept_here(stage, store)
        assert len(store.requests()) == 1
        upload = entry["upload"]
        assert upload is not None
        assert upload["error"] is not None
        assert "403" in upload["error"]


@pytest.mark.parametrize("answer", [REFUSE, stall(100_000)], ids=["refused", "stalled"])
def test_never_accepted(make_stage: MakeStage, answer: Answer) -> None:
    """Given up after the time that is set; the file stays where it is."""
    with Uploads(answer) as store:
        stage = upload_stage(make_stage, store, timeout=2)
        entry = assert_kept_here(stage, store)
        upload = entry["upload"]
        assert upload is not None
        assert not upload["ok"]
        assert upload["attempts"] == len(store.requests())
        assert store.accepted() == []


def test_the_server_is_back_meanwhile(make_stage: MakeStage) -> None:
    """Nothing closes; the file is saved, and the upload not needed any more."""
    with Uploads(DROP) as store:
        stage = upload_stage(make_stage, store)
        blender = stage.launch(stage.file)
        edit(blender)
        stage.engine.kill()
        store.wait_for(1)
        stage.engine.start()
        stage.wait_connected(blender)
        assert_stays_connected(blender, time.monotonic() + 1)
        assert saved_location(stage.file) == EDIT
        check(stage.journal.entry(), outcome="recovered", safe=True, path=stage.file)


def test_what_stores_say_and_want(make_stage: MakeStage) -> None:
    """One after the other: a 400 that asks for more of the same, a success before the body was
    taken, another's checksum, and the right one. With the headers that are set."""
    impatient = Answer(
        "read", HTTPStatus.BAD_REQUEST, said="<Error><Code>RequestTimeout</Code></Error>"
    )
    early = Answer("early", after=1_000)
    other = Answer("read", headers={"ETag": f'"{"0" * 32}"'})
    with Uploads(impatient, early, other, ACCEPT) as store:
        stage = upload_stage(make_stage, store, headers="x-ms-blob-type: BlockBlob")
        blender = stage.launch(stage.file)
        edit(blender)
        grow(blender, 8_000_000)  # more than lies in the system's buffers
        stage.engine.kill()
        entry = assert_kept(stage, blender, stage.file)
        upload = entry["upload"]
        assert upload is not None
        assert (upload["ok"], upload["attempts"]) == (True, 4)
        requests = store.requests()
        assert [one.whole for one in requests] == [True, False, True, True]
        assert requests[-1].body == stage.file.read_bytes()
        assert {one.headers["x-ms-blob-type"] for one in requests} == {"BlockBlob"}


def test_the_stores_own_sentence(make_stage: MakeStage) -> None:
    """Without what is secret in it."""
    with Uploads() as store:
        said = f"<Code>AccessDenied</Code><Message>Request has expired: {store.secret}</Message>"
        store.answer(Answer("read", HTTPStatus.FORBIDDEN, said=f"<Error>{said}</Error>"))
        stage = upload_stage(make_stage, store)
        upload = assert_kept_here(stage, store)["upload"]
        assert upload is not None
        assert upload["error"] is not None
        assert upload["error"].endswith("403: AccessDenied, Request has expired: ***")
