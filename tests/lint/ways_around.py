"""Which of the add-on's modules open files, or write to a terminal, by themselves.

What lies in a folder may be a link, a pipe or somebody else's, and what strangers have written may
forge lines: `own_files`, and `wording` under `log`, are there for that. Who goes around them is
listed here with the reason. Run as a program it tells what is not, and ends with 1.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ADDON = Path(__file__).parents[2] / "addon" / "lifeline"

_SYSTEM = {"open", "replace", "rename", "renames", "link", "symlink", "mkfifo", "truncate", "write"}
# Methods of a path, whatever its name. A path's `replace` has one argument, and a text's two.
_METHODS = {
    *("open", "touch", "rename", "hardlink_to", "symlink_to"),
    *("read_bytes", "read_text", "write_bytes", "write_text"),
}
_MODULES = {"shutil", "tempfile"}

_DESCRIPTOR = "of a descriptor that is open"
_LOOKED_AT = "opened without following or waiting, and looked at as it is open"
_WORK = "the user's own work, which is where a link leads; looked at as an ordinary file before"
_EARLY = "there is no log yet; imports that have failed, before anything of others was read"
_STREAM = "the stream is moved to another descriptor, or flushed; nothing is written to it"

ALLOWED: Mapping[str, Mapping[str, str]] = {
    "loading.py": {"print": _EARLY, "sys.stderr": _EARLY},
    "log.py": {"sys.stdout": "each line is cleaned by the formatter"},
    "log_file.py": {
        "os.open": _LOOKED_AT,
        "open": _DESCRIPTOR,
        "os.replace": "a link is moved, not followed",
    },
    "output.py": {
        "sys.stdout": _STREAM,
        "sys.stderr": _STREAM,
        "os.write": "what it carries is what the log, or Blender, has written",
    },
    "own_files.py": {"os.open": _LOOKED_AT, "open": _DESCRIPTOR, ".replace": "a draft of its own"},
    "recovery_store.py": {".touch": "only what is not there yet is made: O_EXCL"},
    "saving/attributes.py": {"os.open": _LOOKED_AT},
    "saving/content.py": {"os.open": _LOOKED_AT, "open": _DESCRIPTOR},
    "saving/images.py": {"tempfile": "within Blender's own folder, which is this user's alone"},
    "saving/in_place.py": {"os.open": _LOOKED_AT},
    "saving/renders.py": {".open": _WORK, ".touch": "only what is not there yet is made: O_EXCL"},
    "saving/unsent.py": {"os.open": _LOOKED_AT, "open": _DESCRIPTOR},
    "saving/verification.py": {".open": _WORK},
    "steps.py": {"os.open": "a folder, to flush it; nothing of it is read"},
}


def uses(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Lines, and what is used there."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = _called(node)
            if name:
                yield node.lineno, name
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr"):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names if each.name in _MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {"os": _SYSTEM, "sys": {"stdout", "stderr"}, "io": {"open", "open_code"}}
            found = [each.name for each in node.names]
            yield from (
                (node.lineno, f"{node.module}.{name}")
                for name in found
                if node.module in _MODULES or name in names.get(node.module or "", ())
            )


def _called(call: ast.Call) -> str:
    """What a call of something that is watched is called; "" for all others."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id if function.id in ("open", "print") else ""
    if not isinstance(function, ast.Attribute):
        return ""
    owner = ast.unparse(function.value)
    if owner == "os":
        return f"os.{function.attr}" if function.attr in _SYSTEM else ""
    if owner == "io":
        return f"io.{function.attr}" if function.attr in ("open", "open_code", "FileIO") else ""
    moves = function.attr == "replace" and len(call.args) == 1 and not call.keywords
    return f".{function.attr}" if moves or function.attr in _METHODS else ""


def faults(addon: Path, allowed: Mapping[str, Mapping[str, str]] = ALLOWED) -> list[str]:
    """Each way around, and each leave that nobody needs any more."""
    told: list[str] = []
    needed: set[tuple[str, str]] = set()
    for path in sorted(addon.rglob("*.py")):
        name = path.relative_to(addon).as_posix()
        for line, used in uses(ast.parse(path.read_text(encoding="utf-8"))):
            needed.add((name, used))
            if used not in allowed.get(name, {}):
                told.append(
                    f"{name}:{line}: {used} goes around own_files, or log; use them, or say in "
                    f"{Path(__file__).name} why it is right there"
                )
    given = {(name, used) for name, leave in allowed.items() for used in leave}
    told += [f"{name}: {used} is allowed and not used" for name, used in sorted(given - needed)]
    return told


if __name__ == "__main__":
    found = faults(ADDON)
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    sys.exit(1 if found else 0)
