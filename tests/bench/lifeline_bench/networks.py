"""Two computers joined by a cable, as far as the network goes: namespaces of our own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import TracebackType

from lifeline_harness.waiting import wait_until

from lifeline_bench.errors import BenchError

# Of the block that is set aside for measuring networks (RFC 2544).
OUR_ADDRESS = "198.18.0.1"
THEIR_ADDRESS = "198.18.0.2"

_START_SECONDS = 10.0


class _Computer:
    """A network namespace, held by a process."""

    def __init__(self) -> None:
        ours = os.readlink("/proc/self/ns/net")
        self._holder = subprocess.Popen(
            ["/usr/bin/env", "unshare", "--net", "sleep", "infinity"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.pid = self._holder.pid
        namespace = Path(f"/proc/{self.pid}/ns/net")

        def apart() -> bool:
            if self._holder.poll() is not None:
                assert self._holder.stderr is not None
                said = self._holder.stderr.read().strip()
                raise BenchError(f"no network of our own can be had here: {said}")
            return os.readlink(namespace) != ours

        wait_until("a network of our own", apart, _START_SECONDS)
        self.ip("link", "set", "lo", "up")

    @property
    def prefix(self) -> list[str]:
        """What a program is started by to be on this computer."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def ip(self, *arguments: str) -> None:
        """Raises BenchError."""
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        done = subprocess.run(
            [*self.prefix, "ip", *arguments],
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise BenchError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


class Networks:
    """Ours, and that of the engine's host."""

    def __enter__(self) -> Networks:
        """Raises BenchError: this needs the rights to make networks."""
        self.ours = _Computer()
        try:
            self.theirs = _Computer()
            self.ours.ip("link", "add", "near", "type", "veth", "peer", "name", "far")
            self.ours.ip("link", "set", "far", "netns", str(self.theirs.pid))
            for computer, name, address in (
                (self.ours, "near", OUR_ADDRESS),
                (self.theirs, "far", THEIR_ADDRESS),
            ):
                computer.ip("address", "add", f"{address}/30", "dev", name)
                computer.ip("link", "set", name, "up")
        except BenchError:
            self.close()
            raise
        return self

    def black_hole(self) -> None:
        """From now on nothing comes back from the engine's host."""
        self.theirs.ip("route", "add", "blackhole", f"{OUR_ADDRESS}/32")

    def host_gone(self) -> None:
        """The engine's host loses its power: it does not answer for its address any more."""
        self.theirs.ip("link", "set", "far", "arp", "off")
        self.black_hole()

    def mend(self) -> None:
        self.theirs.ip("link", "set", "far", "arp", "on")
        self.theirs.ip("route", "flush", "type", "blackhole")

    def close(self) -> None:
        self.ours.close()
        if hasattr(self, "theirs"):
            self.theirs.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
