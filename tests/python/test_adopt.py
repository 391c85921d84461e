"""What docs/adopt.md says of python-socketio's client, of ours, and of the example is so."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import socketio

from tests.python.addon_texts import ADDON

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "adopt.md"
EXAMPLES = ROOT / "addon" / "examples"


def ours() -> dict[str, ast.FunctionDef]:
    """The methods and properties of our client, by name, as they are written down last."""
    module = ast.parse((ADDON / "client.py").read_text(encoding="utf-8"))
    (client,) = (
        node for node in module.body if isinstance(node, ast.ClassDef) and node.name == "Client"
    )
    return {node.name: node for node in client.body if isinstance(node, ast.FunctionDef)}


def table() -> dict[str, str]:
    """Of each method of theirs: `same`, `different` or `not there`."""
    text = DOCS.read_text(encoding="utf-8").split("## Each method")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (same|different|not there) \|", text, re.MULTILINE))


def test_each_method_of_theirs_is_in_the_table() -> None:
    theirs = {name for name in dir(socketio.Client) if not name.startswith("_")}
    assert set(table()) == theirs


def test_what_is_there_is_there() -> None:
    there = {name for name, how in table().items() if how != "not there"}
    public = {name for name in ours() if not name.startswith("_")}
    assert there == public & set(table())
    text = DOCS.read_text(encoding="utf-8")
    (beyond,) = re.findall(r"^Beyond theirs: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", beyond)) == public - there - {"connected"}


def test_what_is_the_same_takes_the_same() -> None:
    mine = ours()
    same = [name for name, how in table().items() if how == "same"]
    assert same == ["on", "event"]
    wanted = [name for name in inspect.signature(socketio.Client.on).parameters if name != "self"]
    assert [arg.arg for arg in mine["on"].args.args if arg.arg != "self"] == wanted


def without_layout(name: str) -> set[str]:
    """The lines of an example's source."""
    text = (EXAMPLES / name / "__init__.py").read_text(encoding="utf-8")
    return {line.strip() for line in text.splitlines()}


def test_the_difference_shown_is_the_one_there_is() -> None:
    (diff,) = re.findall(r"^```diff\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.M | re.S)
    before, after = without_layout("turntable_socketio"), without_layout("turntable")
    for line in diff.splitlines():
        sign, text = line[:1], line[1:].strip()
        if text:
            assert (text in before) == (sign in "- "), line
            assert (text in after) == (sign in "+ "), line
