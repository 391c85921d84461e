"""The command line."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cr8_engine_stand_in.errors import OptionError
from cr8_engine_stand_in.store import PART_SIZE
from cr8_engine_stand_in.tokens import LIFETIME

SECRET = "CR8_ENGINE_SECRET"  # noqa: S105 - where it is
SHARED = "CR8_ENGINE_TOKEN"

# The real engine's.
PING_INTERVAL = 90.0
PING_TIMEOUT = 120.0


@dataclass(frozen=True)
class Options:
    """How to run. Times in seconds."""

    host: str
    port: int
    local: bool
    """No token is asked for: the name will do."""
    secret: str = field(repr=False)
    """What tokens are signed with; "": none are minted."""
    token_lifetime: float
    shared_token: str = field(repr=False)
    """Taken from everybody, whoever they say they are; "": there is none."""
    without_browser: bool
    welcome: bool
    displace: bool
    say_why: bool
    extension: bool
    operator_call: bool
    store: Path | None
    """The object store's folder; None: there is none."""
    part_size: int
    ping_interval: float
    ping_timeout: float
    test_controls: bool
    allow_origins: tuple[str, ...]
    blender: tuple[str, ...]
    """The command line that starts Blender; empty: none can be started. See `launcher`."""
    blender_log_dir: Path | None
    launched: Path | None
    """Where the started Blenders are written down, for a later server; None: nowhere."""
    pages: Path | None
    """A folder whose files are served over HTTP; None: none are."""
    redis: str | None
    """The URL of the Redis that several engines share; None: this one is alone."""


def parse(arguments: Sequence[str]) -> Options:
    """The options in `arguments` and in the environment.

    Secrets are taken out of the environment, so that no process started later inherits them
    under these names. Raises OptionError; ends the process as argparse does for a bad argument.
    """
    ours, blender = _split(arguments)
    given = vars(_parser().parse_args(ours))
    local = given.pop("launch_mode") == "local"
    secret, shared = os.environ.pop(SECRET, ""), os.environ.pop(SHARED, "")
    if not (local or secret or shared):
        raise OptionError(f"no tokens: set {SECRET}, or {SHARED}, or run in local mode")
    return Options(
        **{**given, "allow_origins": tuple(given["allow_origins"])},
        local=local,
        secret=secret,
        shared_token=shared,
        blender=blender,
    )


def _split(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What stands before the first `--`, and after it (Blender's own `--` stays in there)."""
    everything = list(arguments)
    if "--" not in everything:
        return everything, ()
    at = everything.index("--")
    return everything[:at], tuple(everything[at + 1 :])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cr8_engine_stand_in",
        description="A stand-in for cr8_engine. Prints one JSON line when it listens.",
        usage="%(prog)s [options] [-- BLENDER ARGUMENT…]",
        epilog="What follows -- is the command line that starts Blender. An argument {file} in it "
        "becomes the .blend file's path, or goes away if there is none; without {file} the path "
        "comes last.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=0, help="0 (the default): any free one")
    parser.add_argument(
        "--launch-mode",
        choices=["local", "remote"],
        default="local",
        help="remote: who connects needs a token, signed (HS256) with the secret in "
        f"{SECRET}, or the one in {SHARED}, which all may share; Blenders get theirs at launch",
    )
    parser.add_argument("--token-lifetime", type=_seconds, default=LIFETIME, metavar="S")
    _add_allowances(parser)
    parser.add_argument(
        "--store", type=Path, metavar="DIR", help="the object store that files are saved to"
    )
    parser.add_argument(
        "--part-size",
        type=int,
        default=PART_SIZE,
        metavar="BYTES",
        help="of an upload; default: 90 MiB",
    )
    parser.add_argument("--ping-interval", type=_seconds, default=PING_INTERVAL, metavar="S")
    parser.add_argument("--ping-timeout", type=_seconds, default=PING_TIMEOUT, metavar="S")
    parser.add_argument(
        "--allow-origin",
        dest="allow_origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let web pages of this origin connect (repeatable); default: only our own",
    )
    parser.add_argument(
        "--blender-log-dir",
        type=Path,
        metavar="DIR",
        help="a started Blender writes to blender-PID.log in there; default: its output is dropped",
    )
    parser.add_argument(
        "--launched",
        type=Path,
        metavar="FILE",
        help="write the started Blenders down in there; a server that is started again knows those "
        "that still live",
    )
    parser.add_argument(
        "--pages", type=Path, metavar="DIR", help="serve the web pages in there, index.html at /"
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        help="share rooms and events with the other engines at this Redis (redis://HOST:PORT/0)",
    )
    parser.add_argument(
        "--test-controls", action="store_true", help="let HTTP requests misbehave on purpose"
    )
    return parser


def _add_allowances(parser: argparse.ArgumentParser) -> None:
    """What the real engine does otherwise."""
    parser.add_argument(
        "--extension", action="store_true", help="know Lifeline's own events, and tell clients so"
    )
    parser.add_argument(
        "--without-browser",
        action="store_true",
        help="let a Blender in though no browser of its user is connected",
    )
    parser.add_argument(
        "--no-welcome",
        dest="welcome",
        action="store_false",
        help="send a Blender nothing by itself when it connects",
    )
    parser.add_argument(
        "--displace",
        action="store_true",
        help="a second Blender of a name ends the connection of the first",
    )
    parser.add_argument(
        "--say-why", action="store_true", help="tell whom is refused the reason for it"
    )
    parser.add_argument(
        "--no-operator-call",
        dest="operator_call",
        action="store_false",
        help="have Blender connect by itself, not by the operator ws_handler.connect_websocket",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number of seconds")
    return seconds
