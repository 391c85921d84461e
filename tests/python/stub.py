"""What the wheel's own type stub promises, read from its text."""

from __future__ import annotations

import ast
import re
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cr8_lifeline


@cache
def _definitions() -> dict[str, ast.ClassDef | ast.FunctionDef]:
    text = Path(cr8_lifeline.__file__).with_name("_native.pyi").read_text(encoding="utf-8")
    body = ast.parse(text).body
    return {one.name: one for one in body if isinstance(one, ast.ClassDef | ast.FunctionDef)}


def fields(name: str) -> Mapping[str, typing.Any]:
    """The keys of a TypedDict of the module, and the type of each."""
    return typing.get_type_hints(getattr(cr8_lifeline, name))


def faults(name: str, value: Mapping[str, object]) -> list[str]:
    """Where a dict is not what the TypedDict of this name says."""
    promised = fields(name)
    found = [f"{name}.{key} is missing" for key in promised.keys() - value.keys()]
    found += [f"{name}.{key} is not promised" for key in value.keys() - promised.keys()]
    for key in promised.keys() & value.keys():
        if not _conforms(value[key], promised[key]):
            found.append(f"{name}.{key} is {value[key]!r}, not {promised[key]}")
    return found


def _conforms(value: object, hint: typing.Any) -> bool:
    origin = typing.get_origin(hint)
    if hint is typing.Any:
        return True
    if typing.is_typeddict(hint):
        return isinstance(value, dict) and not faults(hint.__name__, value)
    if origin is dict:
        return isinstance(value, dict)
    if origin is list:
        return isinstance(value, list)
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_conforms(value, one) for one in typing.get_args(hint))
    if hint is float:  # an int will do, as for a type checker; a bool will not
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return bool(isinstance(value, hint))


def documented_settings() -> list[tuple[str, str]]:
    """Name and variable of each setting that the docstring of `settings_table` lists."""
    definition = _definitions()["settings_table"]
    assert isinstance(definition, ast.FunctionDef)
    text = ast.get_docstring(definition) or ""
    names = text.partition("Names:")[2].partition("(each CR8_")[0]
    found = re.findall(r"(\w+)(?: \((\w+)\))?", names)
    return [(name, variable or f"CR8_{name.upper()}") for name, variable in found]
