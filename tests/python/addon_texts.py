"""The texts that the add-on shows to people, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from cr8_lifeline import settings_table

ADDON = Path(__file__).parents[2] / "addon" / "lifeline"
# What marks a text in a call.
_MARKS = ("_", "marked")
# Base classes of what Blender shows with its docstring.
_SHOWN = ("Operator", "Panel", "Menu", "LineOperator", "OfferOperator", "_SidebarPanel")


def texts() -> dict[str, str]:
    """Each text that is shown, and where it is from."""
    found = {}
    for path in sorted(ADDON.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for text in (*_marked(node), *_declared(node)):
                found[text] = str(path.relative_to(ADDON))
    for info in settings_table():
        found[info["about"]] = found[info["section"]] = info["name"]
    return found


def _literal(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def _marked(node: ast.AST) -> Iterator[str]:
    """What is handed to the translation, and the names and descriptions of properties."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id in _MARKS:
        yield from _literal(node.args[0])
    if isinstance(node.func, ast.Attribute) and node.func.attr.endswith("Property"):
        for keyword in node.keywords:
            if keyword.arg in ("name", "description"):
                yield from _literal(keyword.value)


def _declared(node: ast.AST) -> Iterator[str]:
    """Labels and docstrings of operators, panels and menus."""
    if not isinstance(node, ast.ClassDef):
        return
    bases = [
        base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        for base in node.bases
    ]
    if not any(base in _SHOWN for base in bases) or node.name in _SHOWN:
        return
    yield from (text for text in (ast.get_docstring(node),) if text)
    for statement in node.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "bl_label":  # type: ignore[attr-defined]
            yield from _literal(statement.value)
