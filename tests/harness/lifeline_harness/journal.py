"""The journal of clean-ups: read, and held against what is on the disk."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    TypedDict,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

SCHEMA = 2
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DIGEST = re.compile(r"[0-9a-f]{64}")

Outcome = Literal["recovered", "quit", "terminated", "ended-by-host", "closed", "interrupted"]


class Policy(TypedDict):
    """Who decided last."""

    name: str
    version: str
    sha256: str


class Request(TypedDict):
    """What a person, or a script, asked for."""

    at: str
    request: Literal["hold", "extend", "release", "close-now"]
    seconds: float | None
    by: str


class Save(TypedDict):
    """One save that Blender was asked for."""

    at: str
    place: Literal["in-place", "recovery"]
    ok: bool
    path: str | None
    recovery: bool
    bytes: int | None
    sha256: str | None
    seconds: float
    failures: list[str]
    render: str | None


class Part(TypedDict):
    """One of an upload in parts, in S3's words."""

    PartNumber: int
    ETag: str


class Multipart(TypedDict):
    """Parts of which a file is still to be made."""

    key: str | None
    upload_id: str | None
    parts: list[Part]


class Upload(TypedDict):
    """What became of the upload."""

    ok: bool
    bytes: int
    attempts: int
    seconds: float
    error: str | None
    multipart: Multipart | None


class Seconds(TypedDict):
    """How long the steps took; None: it did not happen."""

    outage: float | None
    save: float | None
    digest: float | None
    upload: float | None


class Entry(TypedDict):
    """One line about an outage or a termination."""

    schema: int
    type: Literal["outage", "termination"]
    id: str
    username: str
    server: str
    pid: int
    version: str
    policy: Policy
    lost_at: str | None
    why: str
    detail: str | None
    refusal: str | None
    attempts: int
    countdown_at: str | None
    early_copy: str | None
    requests: list[Request]
    saves: list[Save]
    upload: Upload | None
    outcome: Outcome
    safe: Literal["no", "local", "uploaded"] | None
    wanted: Literal["local", "uploaded"]
    ended_at: str | None
    seconds: Seconds


class PolicyLine(TypedDict):
    """One line about policies."""

    schema: int
    type: Literal["policy"]
    at: str
    username: str
    pid: int
    version: str
    outcome: Literal["taken", "refused", "overruled", "set-aside"]
    policy: Policy
    origin: str
    refused_sha256: str | None
    reason: str | None


class Acknowledged(TypedDict):
    """The server has the entry of this id."""

    schema: int
    type: Literal["acknowledged"]
    id: str
    at: str


class Journal:
    """The file at `path`, read afresh at each question. One that is not there is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """Each outage and termination as it was written last, oldest first.

        Raises AssertionError for a whole line that has not the one shape.
        """
        newest: dict[str, Entry] = {}
        for line in self._whole_lines():
            if line.get("type") not in ("acknowledged", "policy"):
                assert_shape(line, Entry)
                entry = cast(Entry, line)
                newest[entry["id"]] = entry
        return list(newest.values())

    def open_entries(self) -> list[Entry]:
        """Of outages that last, or whose process has died, as they stand now."""
        found = []
        for path in self.path.parent.glob(f"{self.path.name}.open-*"):
            lines = [line for line in path.read_bytes().split(b"\n") if line]
            if lines:
                found.append(cast(Entry, json.loads(lines[-1])))
        return found

    def entry(self) -> Entry:
        """The only one. Raises AssertionError if there is none, or more."""
        entries = self.entries()
        assert len(entries) == 1, f"{self.path}: {len(entries)} entries\n{json.dumps(entries)}"
        return entries[0]

    def last_of(self, pid: int) -> Entry:
        """The newest of a process. Raises AssertionError if there is none."""
        entries = [entry for entry in self.entries() if entry["pid"] == pid]
        assert entries, f"{self.path}: nothing of process {pid}"
        return entries[-1]

    def policies(self) -> list[PolicyLine]:
        """What was written of policies, oldest first. Raises AssertionError as `entries` does."""
        found = []
        for line in self._whole_lines():
            if line.get("type") == "policy":
                assert_shape(line, PolicyLine)
                found.append(cast(PolicyLine, line))
        return found

    def acknowledged(self) -> set[str]:
        """The ids that the server has. Raises AssertionError as `entries` does."""
        ids = set()
        for line in self._whole_lines():
            if line.get("type") == "acknowledged":
                assert_shape(line, Acknowledged)
                ids.add(str(line["id"]))
        return ids

    def torn(self) -> list[bytes]:
        """The lines that are no JSON objects: what a crash left."""
        return [line for line in self._lines() if _parse(line) is None]

    def _whole_lines(self) -> list[dict[str, Any]]:
        return [line for line in map(_parse, self._lines()) if line is not None]

    def _lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines() if self.path.exists() else []


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def check(
    entry: Entry, *, outcome: Outcome, safe: bool | None, path: Path | None = None
) -> Save | None:
    """That an entry has this end, agrees with itself, and tells the truth about the disk.

    safe: whether the work is to be somewhere; None: nothing was to be saved.
    path: where the work is to be safe; None: wherever the entry says.
    Gives the last save that went well. Raises AssertionError.
    """
    assert_shape(entry, Entry)
    assert entry["schema"] == SCHEMA
    found = None if entry["safe"] is None else entry["safe"] != "no"
    assert (entry["outcome"], found) == (outcome, safe), json.dumps(entry)
    uploaded = entry["upload"] is not None and entry["upload"]["ok"]
    if found:
        assert (entry["safe"] == "uploaded") == uploaded, json.dumps(entry)
    assert re.fullmatch("[0-9a-f]{32}", entry["id"])
    assert DIGEST.fullmatch(entry["policy"]["sha256"])
    assert (entry["lost_at"] is None) == (entry["type"] == "termination")
    for instant in _instants(entry):
        assert INSTANT.fullmatch(instant), instant
    for save in entry["saves"]:
        _check_save(save)
    # The last one counts; null: none was asked for. One that was never answered is not safe.
    told = entry["saves"][-1]["ok"] if entry["saves"] else None
    unanswered = safe is False and outcome in ("ended-by-host", "interrupted", "closed")
    assert safe == told or unanswered, json.dumps(entry)
    good = [save for save in entry["saves"] if save["ok"]]
    if safe:
        _check_file(good[-1])
    if entry["upload"] is not None:
        assert entry["upload"]["ok"] == (entry["upload"]["error"] is None)
        assert good[-1]["bytes"] == entry["upload"]["bytes"]
    last = good[-1] if good else None
    if path is not None:
        assert last is not None
        assert last["path"] == str(path)
    return last


def _instants(entry: Entry) -> list[str]:
    optional = [entry["lost_at"], entry["countdown_at"], entry["ended_at"]]
    listed = [one["at"] for one in entry["requests"]] + [one["at"] for one in entry["saves"]]
    return [one for one in optional if one is not None] + listed


def _check_save(save: Save) -> None:
    told = [save["path"], save["bytes"], save["sha256"]]
    assert save["seconds"] >= 0
    if save["ok"]:
        assert None not in told, json.dumps(save)
    else:
        assert save["failures"], json.dumps(save)


def _check_file(save: Save) -> None:
    assert save["path"] is not None
    content = Path(save["path"]).read_bytes()
    assert len(content) == save["bytes"]
    assert hashlib.sha256(content).hexdigest() == save["sha256"]


def assert_shape(value: object, shape: Any, where: str = "line") -> None:
    """That JSON has just this shape: all fields of a TypedDict and no others, of their types.

    Raises AssertionError that names the place.
    """
    if get_origin(shape) in (UnionType, Union):
        kinds = get_args(shape)
        if value is None and NoneType in kinds:
            return
        (shape,) = (kind for kind in kinds if kind is not NoneType)
    if is_typeddict(shape):
        fields = get_type_hints(shape)
        assert isinstance(value, dict), f"{where}: no object: {value!r}"
        assert value.keys() == fields.keys(), f"{where}: fields {sorted(value.keys() ^ fields)}"
        for name, kind in fields.items():
            assert_shape(value[name], kind, f"{where}.{name}")
    elif get_origin(shape) is list:
        assert isinstance(value, list), f"{where}: no list: {value!r}"
        for number, one in enumerate(value):
            assert_shape(one, get_args(shape)[0], f"{where}[{number}]")
    elif get_origin(shape) is Literal:
        assert value in get_args(shape), f"{where}: {value!r}"
    else:
        # JSON's 2.0 may be written 2; true is no number.
        kinds = (int, float) if shape is float else (shape,)
        fits = isinstance(value, kinds) and (shape is bool or not isinstance(value, bool))
        assert fits, f"{where}: {value!r} is no {shape.__name__}"
