"""Libraries of our own that a process is started with: the system as a test wants it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lifeline_harness.errors import StartError


def compiled(name: str, folder: Path) -> Path:
    """The library of a source beside this file, made in the folder.

    Raises StartError without a C compiler.
    """
    source, library = Path(__file__).with_name(f"{name}.c"), folder / f"{name}.so"
    compiler = shutil.which("cc")
    if compiler is None:
        raise StartError("no C compiler: cc is not on the path")
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]
    command += [str(library), str(source), "-ldl"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise StartError(f"{source} does not compile:\n{done.stderr.decode(errors='replace')}")
    return library


def refusing(below: Path, folder: Path) -> dict[str, str]:
    """The environment of a process to which files below a folder have no permissions, owners,
    locks, flushes and extended attributes. folder: for the library."""
    return {"LD_PRELOAD": str(compiled("refusing", folder)), "LIFELINE_REFUSING": str(below)}


def hanging(below: Path, folder: Path) -> dict[str, str]:
    """The environment of a process to which nothing below a folder answers while there is a file
    beside it, called like it and `.gone`. folder: for the library."""
    return {"LD_PRELOAD": str(compiled("hanging", folder)), "LIFELINE_HANGING": str(below)}
