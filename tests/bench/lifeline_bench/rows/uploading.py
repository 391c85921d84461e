"""How fast a large file gets into a store, beside curl and the store's own client."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from cr8_lifeline import Lifeline
from cr8_lifeline.events import Close, Quit, Save
from lifeline_harness.object_store import ObjectStore
from lifeline_harness.waiting import wait_until

from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure
from lifeline_bench.repeat import in_turn
from lifeline_bench.site import Site

TITLE = "Uploading 500 MB to an S3 server on the same machine"

_BYTES = 500_000_000
_ROUNDS = 3
# As the real engine cuts files.
_PART = 90 << 20
_SECONDS = 300.0
_RATIO = 1 / 1.1
_NOTE = (
    "Ours as the journal has it, from the first request to the last answer: the file was read "
    "back before. Of the peers, the whole process."
)
_OUTAGE: dict[str, object] = {
    "retry_attempts": 1,
    "retry_delay": 0.02,
    "retry_jitter": 0.0,
    "cleanup_timeout": 0.1,
    "warn_before": [],
    "quit_floor": 0.0,
    "early_copy": False,
    "policy_cache": "off",
}


def measure(site: Site) -> list[Figure]:
    file = site.scratch / "work.blend"
    with file.open("wb") as out:
        for _ in range(_BYTES // 1_000_000):
            out.write(os.urandom(1_000_000))
    with ObjectStore(site.scratch / "store") as store:
        competitors: dict[str, Callable[[], float]] = {
            "parts": lambda: _ours(site, store, file, parts=True),
            "whole": lambda: _ours(site, store, file, parts=False),
            "curl": lambda: _curl(store, file),
        }
        aws = shutil.which("aws")
        if aws is not None:
            competitors["aws"] = lambda: _aws(aws, site, store, file)
        samples = in_turn(competitors, _ROUNDS, site.tell)
    figures = []
    for ours, peer, name in (
        ("whole", "curl", "curl -T"),
        ("parts", "curl", "curl -T, in one piece"),
        ("parts", "aws", "aws s3 cp, in parts of the same size"),
    ):
        if peer in samples:
            figures.append(
                Figure(
                    row="uploading",
                    what=f"500 MB, {'in parts of 90 MiB' if ours == 'parts' else 'in one piece'}",
                    unit="s",
                    ours=samples[ours].median,
                    peer=samples[peer].median,
                    peer_name=name,
                    ratio_goal=Bound(_RATIO, at_least=True),
                    spread=samples[ours].spread,
                    note=_NOTE,
                )
            )
    return figures


def _ours(site: Site, store: ObjectStore, file: Path, *, parts: bool) -> float:
    """As in a clean-up whose Blender saves at once."""
    key = f"ours-{time.monotonic_ns()}"
    pieces = -(-_BYTES // _PART)
    target = store.target(store.begin(key), pieces, _PART) if parts else store.url("PUT", key)
    settings = {**_OUTAGE, "server_url": "ws://127.0.0.1:9", "save_target": target}
    line = Lifeline({**settings, "journal": str(site.scratch / "journal.jsonl")}, None, environ={})
    try:
        line.connect()
        wait_until("the upload", lambda: _step(line, file), _SECONDS)
        entry = line.status()["last_outage"]
    finally:
        line.close(10.0)
    if entry is None or not entry["upload"]["ok"] or not store.holds(key):
        raise BenchError(f"not uploaded: {entry}")
    return float(entry["seconds"]["upload"])


def _step(line: Lifeline, file: Path) -> bool:
    """What Blender's main thread does; True: Blender is told to close."""
    for event in line.poll():
        if isinstance(event, Save) and line.claim(event.ticket):
            line.saved(event.ticket, file)
        elif isinstance(event, Quit):
            line.claim(event.ticket)
        elif isinstance(event, Close):
            return True
    return False


def _curl(store: ObjectStore, file: Path) -> float:
    url = store.url("PUT", f"curl-{time.monotonic_ns()}")
    return _run(["curl", "-sS", "--fail", "-T", str(file), url], {})


def _aws(program: str, site: Site, store: ObjectStore, file: Path) -> float:
    config = site.scratch / "aws"
    config.write_text(f"[default]\ns3 =\n  multipart_chunksize = {_PART}\n")
    to = f"s3://{store.bucket}/aws-{time.monotonic_ns()}"
    endpoint = ["--endpoint-url", f"http://127.0.0.1:{store.port}"]
    return _run(
        [program, "s3", "cp", "--only-show-errors", *endpoint, str(file), to],
        {**store.environment, "AWS_CONFIG_FILE": str(config)},
    )


def _run(command: list[str], environment: dict[str, str]) -> float:
    begun = time.monotonic()
    done = subprocess.run(
        command, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise BenchError(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return time.monotonic() - begun
