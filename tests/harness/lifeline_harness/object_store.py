"""A real S3 server that checks signatures and their expiry, and URLs that are signed for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote

from lifeline_harness.errors import HarnessError
from lifeline_harness.ports import free_port
from lifeline_harness.waiting import wait_until

REGION = "us-east-1"
BUCKET = "works"

Method = Literal["GET", "PUT", "POST", "DELETE"]


def program() -> str | None:
    """The server: `LIFELINE_S3`, or s3s-fs on the search path; None: it is not installed."""
    return os.environ.get("LIFELINE_S3") or shutil.which("s3s-fs")


def sha256(path: Path) -> str:
    """Of a file that need not fit into the memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


@dataclass(frozen=True)
class Upload:
    """An upload in parts that was begun."""

    key: str
    upload_id: str


class ObjectStore:
    """The server as a process of its own. Keys are those of one bucket.

    folder: what it keeps, a file for each key; empty, or of an earlier one.
    """

    def __init__(self, folder: Path) -> None:
        found = program()
        if found is None:
            raise HarnessError("no S3 server: `cargo xtask setup` installs s3s-fs")
        self._program = found
        self._folder = folder
        (folder / BUCKET).mkdir(parents=True, exist_ok=True)
        self._key_id = secrets.token_hex(8)
        self.secret = secrets.token_hex(16)
        self.port = free_port()
        self._log = folder.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, again if it was stopped."""
        arguments = ["--host", "127.0.0.1", "--port", str(self.port)]
        keys = ["--access-key", self._key_id, "--secret-key", self.secret]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, *arguments, *keys, str(self._folder)], stdout=log, stderr=log
            )
        wait_until("the S3 server", self._answers, 30.0)

    def stop(self) -> None:
        """Kill it: what it has stays on the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def bucket(self) -> str:
        return BUCKET

    @property
    def environment(self) -> dict[str, str]:
        """By which the store's own clients are let in."""
        return {
            "AWS_ACCESS_KEY_ID": self._key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": REGION,
        }

    def url(
        self,
        method: Method,
        key: str,
        query: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        seconds: int = 3600,
        since: float | None = None,
    ) -> str:
        """A presigned URL (AWS Signature Version 4).

        port: of the gateway that it goes by; None: of the server.
        seconds: how long it is good for, from `since` (of time.time()); None: now.
        """
        host = f"127.0.0.1:{port or self.port}"
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(since))
        scope = f"{at[:8]}/{REGION}/s3/aws4_request"
        signed = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self._key_id}/{scope}",
            "X-Amz-Date": at,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": "host",
            **(query or {}),
        }
        pairs = sorted((quote(name, safe=""), quote(signed[name], safe="")) for name in signed)
        text = "&".join(f"{name}={value}" for name, value in pairs)
        path = quote(f"/{BUCKET}/{key}")
        request = f"{method}\n{path}\n{text}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        sum_key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            sum_key = hmac.digest(sum_key, part.encode(), "sha256")
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}"
        signature = hmac.new(sum_key, to_sign.encode(), "sha256").hexdigest()
        return f"http://{host}{path}?{text}&X-Amz-Signature={signature}"

    def begin(self, key: str) -> Upload:
        """Begin an upload in parts."""
        said = _ask("POST", self.url("POST", key, {"uploads": ""})).decode()
        found = re.search("<UploadId>(.*?)</UploadId>", said)
        if found is None:
            raise HarnessError(f"no upload was begun: {said}")
        return Upload(key, found[1])

    def target(
        self,
        upload: Upload,
        parts: int,
        part_size: int,
        *,
        port: int | None = None,
        seconds: int = 3600,
        since: float | None = None,
        completed: bool = True,
    ) -> str:
        """A save target of an upload, as JSON. completed: Lifeline makes a file of the parts."""
        of = {"uploadId": upload.upload_id}

        def url(method: Method, query: Mapping[str, str]) -> str:
            return self.url(method, upload.key, query, port=port, seconds=seconds, since=since)

        target: dict[str, Any] = {
            "part_size": part_size,
            "part_urls": [
                url("PUT", {**of, "partNumber": str(number)}) for number in range(1, parts + 1)
            ],
            "key": upload.key,
            "upload_id": upload.upload_id,
        }
        if completed:
            target |= {"complete_url": url("POST", of), "abort_url": url("DELETE", of)}
        return json.dumps(target)

    def complete(self, upload: Upload, parts: Sequence[Mapping[str, Any]]) -> None:
        """As the engine does it, with what it was told of the parts."""
        rows = "".join(
            f"<Part><PartNumber>{part['PartNumber']}</PartNumber><ETag>{part['ETag']}</ETag></Part>"
            for part in parts
        )
        body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()
        _ask("POST", self.url("POST", upload.key, {"uploadId": upload.upload_id}), body)

    def fetch(self, key: str, to: Path) -> None:
        """Download a key, as a machine does that starts anew."""
        with urllib.request.urlopen(self.url("GET", key)) as answer, to.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file, 1 << 20)

    def holds(self, key: str) -> bool:
        return (self._folder / BUCKET / key).is_file()

    def sha256(self, key: str) -> str:
        """Of what the key holds."""
        return sha256(self._folder / BUCKET / key)

    def __enter__(self) -> ObjectStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise HarnessError(f"the S3 server has ended: {self._log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return True  # who asks without a signature is refused
        except OSError:
            return False
        return True


def _ask(method: Method, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        said: bytes = answer.read()
    return said
