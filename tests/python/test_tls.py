"""A server behind TLS: only one whose certificate the system trusts is spoken to."""

from __future__ import annotations

import datetime
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
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


# Puts a certificate into a server's side of TLS.
Certificate = Callable[[ssl.SSLContext], None]
NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Door:
    """Takes one connection: what was said in it after the handshake, or why there was none."""

    def __init__(self, certificate: Certificate, host: str = "127.0.0.1") -> None:
        self.heard = ""
        self.refused = ""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate(self._context)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family)
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    @property
    def port(self) -> int:
        number: int = self._socket.getsockname()[1]
        return number

    @property
    def url(self) -> str:
        return f"wss://localhost:{self.port}"

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
    with closing(Door(authority.issue_cert("localhost").configure_cert)) as opened:
        yield opened


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


def test_an_authority_that_a_setting_names(
    door: Door, authority: trustme.CA, tmp_path: Path
) -> None:
    store, named = tmp_path / "store.pem", tmp_path / "named.pem"
    trustme.CA().cert_pem.write_to_path(str(store))
    authority.cert_pem.write_to_path(str(named))
    with visitor(door.url, store, {"CR8_CA_FILE": str(named)}) as process:
        wait_until("a request", lambda: door.heard or door.refused or None, 30.0)
        process.communicate()
    assert door.heard.startswith("GET /ws/socket.io/"), door.refused


def test_an_address_of_the_sixth_version(authority: trustme.CA, tmp_path: Path) -> None:
    store = tmp_path / "store.pem"
    authority.cert_pem.write_to_path(str(store))
    try:
        door = Door(authority.issue_cert("::1").configure_cert, "::1")
    except OSError as error:
        pytest.skip(f"this computer has no IPv6: {error}")
    with closing(door), visitor(f"wss://[::1]:{door.port}", store) as process:
        wait_until("a request", lambda: door.heard or door.refused or None, 30.0)
        process.communicate()
    assert door.heard.startswith("GET /ws/socket.io/"), door.refused


def self_signed(context: ssl.SSLContext) -> None:
    """A certificate of nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)


Bad = Callable[[trustme.CA], Certificate]
STRANGER = trustme.CA(organization_name="Strangers Ltd")
REFUSALS: Mapping[str, tuple[Bad, str]] = {
    "expired": (
        lambda ca: ca.issue_cert("localhost", not_after=NOW - DAY).configure_cert,
        f"its certificate has expired on {NOW - DAY:%Y-%m-%d}",
    ),
    "not yet valid": (
        lambda ca: ca.issue_cert("localhost", not_before=NOW + DAY).configure_cert,
        f"its certificate is not valid before {NOW + DAY:%Y-%m-%d}",
    ),
    "another name": (
        lambda ca: ca.issue_cert("other.test", "third.test").configure_cert,
        "its certificate is for other.test, third.test, not for localhost",
    ),
    "unknown authority": (
        lambda _: STRANGER.issue_cert("localhost").configure_cert,
        "its certificate is of an unknown authority, Strangers Ltd",
    ),
    "self-signed": (lambda _: self_signed, "its certificate is self-signed"),
}


@pytest.mark.parametrize(("bad", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_certificate_that_is_not_good(
    bad: Bad, reason: str, authority: trustme.CA, tmp_path: Path
) -> None:
    store = tmp_path / "store.pem"
    authority.cert_pem.write_to_path(str(store))
    with closing(Door(bad(authority))) as door, visitor(door.url, store) as process:
        assert process.stdout is not None
        log = next(line for line in process.stdout if "Not connected" in line)
        process.communicate()
    assert not door.heard
    assert reason in log
