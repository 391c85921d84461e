"""A server behind TLS: only one whose certificate the system trusts is spoken to."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
import trustme
from lifeline_harness.waiting import wait_until

CONNECT = """
import json, select, sys
from cr8_lifeline import Lifeline
settings = json.loads(sys.argv[2])
line = Lifeline({"server_url": sys.argv[1], "policy_cache": "off"}, environ=settings)
line.connect()
while not select.select([sys.stdin], [], [], 0.02)[0]:
    for event in line.poll():
        print(event.kind, getattr(event, "message", None), flush=True)
line.close()
"""


class Door:
    """Takes one connection: what was said in it after the handshake, or why there was none."""

    def __init__(self, authority: trustme.CA) -> None:
        self.heard = ""
        self.refused = ""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"wss://localhost:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _answer(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return  # nobody came
        with connection:
            try:
                with self._context.wrap_socket(connection, server_side=True) as line:
                    self.heard = line.recv(4096).decode()
            except OSError as error:
                self.refused = str(error)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def door(authority: trustme.CA) -> Iterator[Door]:
    opened = Door(authority)
    yield opened
    opened.close()


@contextmanager
def visitor(
    url: str, store: Path, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    """A line in a process of its own, for the store of certificates is looked for once in each."""
    process = subprocess.Popen(
        [sys.executable, "-c", CONNECT, url, json.dumps(dict(settings))],
        # The folder stands for the system's, whose authorities are of no use here.
        env={**os.environ, "SSL_CERT_FILE": str(store), "SSL_CERT_DIR": str(store.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


def test_a_server_that_the_systems_store_vouches_for(
    door: Door, authority: trustme.CA, tmp_path: Path
) -> None:
    store = tmp_path / "store.pem"
    authority.cert_pem.write_to_path(str(store))
    with visitor(door.url, store) as process:
        wait_until("a request", lambda: door.heard or door.refused or None, 30.0)
        process.communicate()
    assert door.heard.startswith("GET /ws/socket.io/"), door.refused


def test_a_server_that_nobody_vouches_for(door: Door, tmp_path: Path) -> None:
    store = tmp_path / "store.pem"
    trustme.CA().cert_pem.write_to_path(str(store))  # of somebody else
    with visitor(door.url, store) as process:
        assert process.stdout is not None
        log = next(line for line in process.stdout if "Not connected" in line)
        process.communicate()
    assert not door.heard
    assert "certificate verify failed" in log
