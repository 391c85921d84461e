"""The object store: files in a folder, by presigned addresses, whole or in parts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlencode

from cr8_engine_stand_in.errors import StoreError

PREFIX = "/store/"
# What the tunnel before the real one lets through.
BODY_MAX = 100_000_000
MIB = 1024 * 1024
PART_SIZE = 90 * MIB
# For 2 GiB, and some more.
PARTS = 31
# An address to save at lasts for a session.
SESSION_SECONDS = 12 * 3600
PART_SECONDS = 3600

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Answer(NamedTuple):
    """To a request at an address of ours."""

    status: int
    etag: str = ""
    body: bytes = b""


@dataclass
class _Upload:
    key: str
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    """By number: the ETag, and what it holds."""


class Store:
    """folder: None: there is none, and nothing can be begun. part_size: in bytes."""

    def __init__(self, folder: Path | None, part_size: int = PART_SIZE) -> None:
        self.server_url = ""
        self.part_size = part_size
        self._folder = folder
        self._secret = secrets.token_bytes(16)
        self._uploads: dict[str, _Upload] = {}

    def begin(self, key: str) -> dict[str, Any]:
        """A new upload in parts, as a Blender is told of it. Raises StoreError."""
        self._file(key)
        upload_id = secrets.token_hex(16)
        self._uploads[upload_id] = _Upload(key)
        numbers = range(1, PARTS + 1)
        return {
            "upload_id": upload_id,
            "key": key,
            "part_size": self.part_size,
            "part_urls": [
                self._presigned(key, PART_SECONDS, upload_id=upload_id, part=str(number))
                for number in numbers
            ],
        }

    def complete(self, upload_id: str, parts: object) -> None:
        """Make one file of these parts: `[{PartNumber, ETag}, …]`. Raises StoreError."""
        upload = self._uploads.pop(upload_id, None)
        if upload is None:
            raise StoreError("no such upload")
        whole = b""
        for part in parts if isinstance(parts, list) else []:
            etag, content = upload.parts.get(part.get("PartNumber"), ("", b""))
            if not etag or part.get("ETag", "").strip('"') != etag:
                raise StoreError(f"part {part.get('PartNumber')} is not what was uploaded")
            whole += content
        if not whole:
            raise StoreError("there is no part")
        self._write(upload.key, whole)

    def abort(self, upload_id: str) -> None:
        self._uploads.pop(upload_id, None)

    def save_url(self, key: str) -> str:
        """Where a whole file can be put, for as long as a session lasts."""
        return self._presigned(key, SESSION_SECONDS)

    def load_url(self, key: str) -> str:
        """Where the file is to be had, for an hour."""
        return self._presigned(key, PART_SECONDS)

    @property
    def there(self) -> bool:
        return self._folder is not None

    def _presigned(self, key: str, seconds: int, **query: str) -> str:
        known = {**query, "expires": str(int(time.time()) + seconds)}
        signature = self._signature(key, known)
        return (
            f"{self.server_url}{PREFIX}{quote(key)}?{urlencode({**known, 'signature': signature})}"
        )

    def _signature(self, key: str, query: dict[str, str]) -> str:
        text = f"{key}\n{urlencode(sorted(query.items()))}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    async def answer(self, method: str, key: str, query: bytes, receive: Receive) -> Answer:
        """A request at an address that was given out here."""
        given = {name: values[0] for name, values in parse_qs(query.decode()).items()}
        signature = given.pop("signature", "")
        if not hmac.compare_digest(signature, self._signature(key, given)):
            return Answer(403)
        if int(given["expires"]) < time.time():
            return Answer(403)
        try:
            if method == "GET":
                return Answer(200, body=self._file(key).read_bytes())
            body = await _body(receive)
        except FileNotFoundError:
            return Answer(404)
        if body is None:
            return Answer(413)
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        if "upload_id" not in given:
            self._write(key, body)
        elif (upload := self._uploads.get(given["upload_id"])) is not None:
            upload.parts[int(given["part"])] = (etag, body)
        else:
            return Answer(404)
        return Answer(200, etag)

    def _write(self, key: str, content: bytes) -> None:
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _file(self, key: str) -> Path:
        if self._folder is None:
            raise StoreError("there is no object store")
        file = (self._folder / key).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            raise StoreError("no such key")
        return file


async def _body(receive: Receive) -> bytes | None:
    """None: too large; it is read to its end, so that the answer arrives."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= BODY_MAX:
            chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= BODY_MAX else None
