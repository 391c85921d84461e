"""Names with several addresses, and bytes that look like packets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lifeline_harness.blender import Blender
from lifeline_harness.profile import blender_command

from tests.blender.conftest import MakeStage
from tests.blender.stage import Stage

NAME = "two-addresses.test"
# The system puts it first, for it is nearer to itself.
HOLE = "127.0.0.1"
GOOD = "127.9.9.9"


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """At HOLE nobody is let in, and nobody is refused: the queue is full."""
    with closing(socket.socket()) as listener:
        listener.bind((HOLE, port))
        listener.listen(0)
        queued = []
        while True:
            waiting = socket.socket()
            waiting.settimeout(0.3)
            queued.append(waiting)
            try:
                waiting.connect((HOLE, port))
            except TimeoutError:
                break
        yield
        for one in queued:
            one.close()


@contextmanager
def relay(port: int, to: int) -> Iterator[None]:
    """At GOOD, what comes is handed on."""

    def serve(client: socket.socket) -> None:
        try:
            with client, socket.create_connection(("127.0.0.1", to)) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()
        except OSError:
            return  # either side has gone

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server((GOOD, port)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # either side has gone


def start_with_hosts(stage: Stage, hosts: Path, port: int) -> Blender:
    """A Blender of its own mount namespace, with this file of names."""
    environment = {**stage.engine.line("ann"), "WS_URL": f"ws://{NAME}:{port}"}
    command = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
    command += [str(hosts), *blender_command(stage.file, background=False, arguments=())]
    return stage.own(Blender.spawn(stage.profile, command, environment))


def test_the_first_address_of_a_name_swallows_everything(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    stage = make_stage()
    with socket.socket() as free:
        free.bind((GOOD, 0))
        port = free.getsockname()[1]
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{GOOD} {NAME}\n{HOLE} {NAME}\n", encoding="utf-8")
    with black_hole(port), relay(port, stage.engine.port):
        blender = start_with_hosts(stage, hosts, port).wait_ready()
        found = blender.run(
            f"import socket; result = [it[4][0] for it in socket.getaddrinfo({NAME!r}, 1)]"
        )
        assert (found[0], GOOD in found) == (HOLE, True)
        stage.wait_connected(blender)
        # And again, after a loss.
        stage.engine.kill()
        blender.wait_for_line(r"Trying to connect\.$", 30)
        stage.engine.start()
        stage.wait_connected(blender)
    assert not blender.lines.matching("cleanup timer started")


LISTEN = """
import cr8_router
heard = bpy.app.driver_namespace["heard"] = []
for name in ("upload", "injected", "after"):
    cr8_router.handler().on(name, lambda *args, name=name: heard.append((name, args)))
"""
HEARD = """
heard = bpy.app.driver_namespace["heard"]
shown = lambda arg: arg.hex() if isinstance(arg, bytes) else arg
result = [[name, [shown(arg) for arg in args]] for name, args in heard]
"""


def test_bytes_that_look_like_a_packet_arrive_whole_and_forge_nothing(
    make_stage: MakeStage,
) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    blender.run(LISTEN)
    forged = b'x\x1e42/blender,["injected",1]'
    stage.engine.emit_bytes("ann", "upload", forged)
    stage.engine.emit("ann", "after", 1)
    expected = [["upload", [forged.hex()]], ["after", [1]]]
    blender.wait_alive("the events", lambda: len(blender.run(HEARD)) >= len(expected), 30)
    time.sleep(1)
    assert blender.run(HEARD) == expected
    assert not blender.lines.matching(r"Trying to connect\.$")
