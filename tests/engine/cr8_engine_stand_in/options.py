"""The command line."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cr8_engine_stand_in.errors import OptionError

VARIABLE = "CR8_ENGINE_TOKEN"

# The real engine's.
PING_INTERVAL = 90.0
PING_TIMEOUT = 120.0


@dataclass(frozen=True)
class Options:
    """How to run. Times in seconds."""

    host: str
    port: int
    token: str = field(repr=False)
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

    The token is taken out of the environment, so that no process started later inherits it
    under this name. Raises OptionError; ends the process as argparse does for a bad argument.
    """
    ours, blender = _split(arguments)
    given = _parser().parse_args(ours)
    token = os.environ.pop(VARIABLE, "")
    if given.token_file is not None:
        token = _read_token(given.token_file)
    if not token:
        raise OptionError(f"no token: give --token-file, or set {VARIABLE}")
    return Options(
        host=given.host,
        port=given.port,
        token=token,
        ping_interval=given.ping_interval,
        ping_timeout=given.ping_timeout,
        test_controls=given.test_controls,
        allow_origins=tuple(given.allow_origin),
        blender=blender,
        blender_log_dir=given.blender_log_dir,
        launched=given.launched,
        pages=given.pages,
        redis=given.redis,
    )


def _split(arguments: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """What stands before the first `--`, and after it (Blender's own `--` stays in there)."""
    everything = list(arguments)
    if "--" not in everything:
        return everything, ()
    at = everything.index("--")
    return everything[:at], tuple(everything[at + 1 :])


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"--token-file {path}: {error}") from error


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
        "--token-file", type=Path, metavar="PATH", help=f"default: the variable {VARIABLE}"
    )
    parser.add_argument("--ping-interval", type=_seconds, default=PING_INTERVAL, metavar="S")
    parser.add_argument("--ping-timeout", type=_seconds, default=PING_TIMEOUT, metavar="S")
    parser.add_argument(
        "--allow-origin",
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
