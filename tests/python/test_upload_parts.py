"""Large files go up in parts, by a gateway that takes no more than 100 MB at once, to a real S3."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from lifeline_harness.gateway import Gateway
from lifeline_harness.object_store import ObjectStore, Upload, sha256
from lifeline_harness.uploads import Answer, cut

from tests.python.conftest import MakeLine
from tests.python.machine import MB, SMALL, Machine, written

# As the real engine cuts them.
PART = 90 << 20

FAILED = Answer("read", HTTPStatus.INTERNAL_SERVER_ERROR)
SLOW_DOWN = Answer(
    "read", HTTPStatus.SERVICE_UNAVAILABLE, said="<Error><Code>SlowDown</Code></Error>"
)
IMPATIENT = Answer(
    "read", HTTPStatus.BAD_REQUEST, said="<Error><Code>RequestTimeout</Code></Error>"
)


@pytest.mark.parametrize("size", [1, 99, 101])
def test_in_parts_by_the_gateway(
    make_line: MakeLine,
    nowhere: str,
    tmp_path: Path,
    store: ObjectStore,
    gateway: Gateway,
    size: int,
) -> None:
    work = written(tmp_path, size * MB)
    target = store.target(store.begin("ann/job.blend"), 2, PART, port=gateway.port)
    machine = Machine(make_line, nowhere, tmp_path, save_target=target)
    upload = machine.upload(work)
    assert upload["ok"], upload
    assert store.sha256("ann/job.blend") == sha256(work)
    parts = 1 + (size * MB > PART)
    assert gateway.statuses("PUT") == [200] * parts
    assert gateway.statuses("POST") == [200]
    assert upload["attempts"] == parts + 1
    assert upload["multipart"] is None


def test_whole_it_is_too_large_for_the_gateway(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore, gateway: Gateway
) -> None:
    work = written(tmp_path, 101 * MB)
    url = store.url("PUT", "ann/job.blend", port=gateway.port)
    upload = Machine(make_line, nowhere, tmp_path, save_url=url).upload(work)
    assert not upload["ok"]
    assert "status 413" in upload["error"]
    assert not store.holds("ann/job.blend")


def test_each_part_is_tried_again_by_itself(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore, gateway: Gateway
) -> None:
    """A connection that breaks off, 500, 503 SlowDown and 400 RequestTimeout, once each."""
    work = written(tmp_path, 3 * SMALL + 1)
    gateway.fail(FAILED, cut(3 * MB), SLOW_DOWN, IMPATIENT)
    target = store.target(store.begin("job.blend"), 4, SMALL, port=gateway.port)
    upload = Machine(make_line, nowhere, tmp_path, save_target=target).upload(work)
    assert upload["ok"], upload
    assert store.sha256("job.blend") == sha256(work)
    statuses = gateway.statuses("PUT")
    assert sorted(str(status) for status in statuses) == ["200"] * 4 + ["400", "500", "503", "None"]
    assert upload["attempts"] == 4 + 4 + 1


def test_the_engine_makes_the_file_of_the_parts(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore, gateway: Gateway
) -> None:
    work = written(tmp_path, 2 * SMALL + 1)
    begun = store.begin("job.blend")
    target = store.target(begun, 9, SMALL, port=gateway.port, completed=False)
    machine = Machine(make_line, nowhere, tmp_path, save_target=target)
    multipart = machine.upload(work)["multipart"]
    assert not store.holds("job.blend")
    assert multipart["key"] == "job.blend"
    assert multipart["upload_id"] == begun.upload_id
    assert [part["PartNumber"] for part in multipart["parts"]] == [1, 2, 3]
    store.complete(Upload(multipart["key"], multipart["upload_id"]), multipart["parts"])
    assert store.sha256("job.blend") == sha256(work)


@pytest.mark.parametrize("wrong", ["expired", "forged"])
def test_the_store_checks_who_may(
    make_line: MakeLine,
    nowhere: str,
    tmp_path: Path,
    store: ObjectStore,
    gateway: Gateway,
    wrong: str,
) -> None:
    work = written(tmp_path, SMALL + 1)
    begun = store.begin("job.blend")
    if wrong == "expired":
        target = store.target(begun, 2, SMALL, port=gateway.port, seconds=1, since=1_000_000)
    else:
        target = store.target(begun, 2, SMALL, port=gateway.port)
        target = re.sub("(?<=X-Amz-Signature=).", lambda it: "10"[it[0] == "1"], target)
    machine = Machine(make_line, nowhere, tmp_path, save_target=target)
    upload = machine.upload(work)
    assert not upload["ok"]
    assert "status 403" in upload["error"]
    assert not store.holds("job.blend")
    assert 403 in gateway.statuses("PUT")
    assert set(gateway.statuses("PUT")) <= {403, None}
    assert begun.upload_id not in upload["error"]


def test_a_target_that_was_renewed_in_its_file(
    make_line: MakeLine, nowhere: str, tmp_path: Path, store: ObjectStore, gateway: Gateway
) -> None:
    work = written(tmp_path, SMALL + 1)
    begun = store.begin("job.blend")
    mounted = tmp_path / "save-target"
    mounted.write_text(store.target(begun, 2, SMALL, port=gateway.port, seconds=1, since=1_000_000))
    machine = Machine(make_line, nowhere, tmp_path, save_target_file=str(mounted))
    mounted.write_text(store.target(begun, 2, SMALL, port=gateway.port) + "\n")
    assert machine.upload(work)["ok"]
    assert store.sha256("job.blend") == sha256(work)
