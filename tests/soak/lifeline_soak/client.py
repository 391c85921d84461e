"""The side that loses its server, as a soak sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from lifeline_soak.plan import RequestName

if TYPE_CHECKING:  # of the stub alone
    from cr8_lifeline import Status

Call = Literal["hold", "release", "extend"]

# What is added to a countdown, in seconds.
EXTENSION = 0.1


class Client(Protocol):
    """A process with one line in it."""

    @property
    def pid(self) -> int: ...

    def status(self) -> Status:
        """Do what is due on the main thread, and tell how things stand."""

    def wait(self, what: str, probe: Callable[[Status], bool], timeout: float) -> Status:
        """The first status of which `probe` holds. Raises WaitError, or GoneError."""

    def pass_time(self, seconds: float) -> None:
        """Go on like that for a while."""

    def request(self, call: Call) -> None:
        """As a person does who keeps Blender open, lets go, or asks for more time."""

    def swap_file(self, file: Path) -> None: ...

    def swap_bytes(self, file: Path) -> None:
        """The bytes of the file, without its name."""

    def revert(self) -> None: ...

    def counted(self) -> list[str]:
        """What was told of outages and is not what the status counts: sentences."""

    def left_open(self) -> list[str]:
        """Requests to save or quit that still stand: sentences."""


def calls(request: RequestName) -> list[Call]:
    """What a person does one after the other."""
    return ["hold", "release"] if request == "hold-release" else [request]
