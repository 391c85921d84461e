"""A server behind TLS is asked through TLS, and only if the system vouches for it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from lifeline_harness.waiting import wait_until

from tests.python.server import Server
from tests.python.test_tls import visitor


class Terminator:
    """Takes TLS off, and hands on what came to a server."""

    def __init__(self, authority: trustme.CA, port: int) -> None:
        self.asked: list[str] = []
        self._port = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"wss://localhost:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with (
                client,
                self._context.wrap_socket(client, server_side=True) as line,
                socket.create_connection(("127.0.0.1", self._port)) as server,
            ):
                head = line.recv(4096)
                if b"transport=probe" in head:
                    self.asked.append(head.decode())
                server.sendall(head)
                back = threading.Thread(target=_pump, args=(server, line), daemon=True)
                back.start()
                _pump(line, server)
                back.join()
        except OSError:
            return  # either side has gone


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # either side has gone


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(ping_interval=90.0, ping_timeout=120.0)
    try:
        found.start()
        yield found
    finally:
        found.close()


def test_asked_through_tls(server: Server, tmp_path: Path) -> None:
    authority = trustme.CA()
    store = tmp_path / "store.pem"
    authority.cert_pem.write_to_path(str(store))
    door = Terminator(authority, server.port)
    settings = {
        "CR8_PROBE_SILENCE": "0.2",
        "CR8_AUTH_TOKEN": server.token,
        "CR8_USERNAME": "ann",
    }
    try:
        with visitor(door.url, store, settings) as process:
            wait_until("two askings", lambda: len(door.asked) >= 2 or None, 30.0)
            process.communicate()
    finally:
        door.close()
    for head in door.asked:
        assert head.startswith("GET /ws/socket.io/?EIO=4&transport=probe&t=")
        assert server.token not in head
