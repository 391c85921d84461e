"""WAVE, the text form of component values, as far as policies use it.

Records become dicts (fields that are `none` are left out, as in the text), lists become lists,
integers and strings themselves, and every other name a `Case`, with or without a payload.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TypeAlias, Union

Value: TypeAlias = Union[int, str, "Case", list["Value"], dict[str, "Value"]]

TOKEN = re.compile(
    r"""(?P<space>(?:\s|//[^\n]*)+)
      | (?P<number>-?\d+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<name>%?[A-Za-z][A-Za-z0-9-]*)
      | (?P<mark>[{}()\[\],:])""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))")
ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class WaveError(Exception):
    """A text is not WAVE; the message names the place."""


@dataclass(frozen=True)
class Case:
    """A case of a variant, an enum, an option or a result."""

    name: str
    payload: Value | None = None


def parse(text: str) -> Value:
    """The one value in `text`. Raises WaveError."""
    reader = _Reader(text)
    value = reader.value()
    reader.end()
    return value


def show(value: Value) -> list[str]:
    """The value over several lines, one field or element each, for reading and comparing."""
    return _lines(value, "", "")


def _lines(value: Value, before: str, after: str) -> list[str]:
    def block(opening: str, inner: list[list[str]], closing: str) -> list[str]:
        indented = ["  " + line for lines in inner for line in lines]
        return [before + opening, *indented, closing + after]

    if isinstance(value, dict) and value:
        fields = [_lines(field, f"{name}: ", ",") for name, field in value.items()]
        return block("{", fields, "}")
    if isinstance(value, list) and value:
        return block("[", [_lines(element, "", ",") for element in value], "]")
    if isinstance(value, Case) and value.payload is not None:
        return _lines(value.payload, f"{before}{value.name}(", f"){after}")
    return [before + _word(value) + after]


def _word(value: Value) -> str:
    if isinstance(value, Case):
        return value.name
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return "{:}" if value == {} else str(value)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise self._error(at, "no WAVE begins here")
            if found.lastgroup != "space":
                self._tokens.append((found.lastgroup, found.group(), at))
            at = found.end()
        self._tokens.append(("end", "", at))
        self._next = 0

    def _error(self, at: int, reason: str) -> WaveError:
        line = self._text.count("\n", 0, at) + 1
        return WaveError(f"line {line}: {reason}: {self._text[at : at + 30]!r}")

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _took(self, mark: str) -> bool:
        """Whether `mark` comes next; if so, it is taken."""
        if self._tokens[self._next][:2] != ("mark", mark):
            return False
        self._next += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._took(mark):
            raise self._error(self._tokens[self._next][2], f"`{mark}` expected")

    def end(self) -> None:
        kind, _, at = self._tokens[self._next]
        if kind != "end":
            raise self._error(at, "the value has ended, but not the text")

    def value(self) -> Value:
        kind, text, at = self._take()
        if kind == "number":
            return int(text)
        if kind == "string":
            return ESCAPE.sub(_unescape, text[1:-1])
        if kind == "name":
            if not self._took("("):
                return Case(text)
            payload = self.value()
            self._expect(")")
            return Case(text, payload)
        if text == "[":
            return self._elements()
        if text == "{":
            return self._fields()
        raise self._error(at, "a value expected")

    def _elements(self) -> list[Value]:
        elements: list[Value] = []
        while not self._took("]"):
            elements.append(self.value())
            if not self._took(","):
                self._expect("]")
                break
        return elements

    def _fields(self) -> dict[str, Value]:
        fields: dict[str, Value] = {}
        if self._took(":"):
            self._expect("}")
            return fields
        while not self._took("}"):
            kind, name, at = self._take()
            if kind != "name" or name in fields:
                raise self._error(at, "a new field's name expected")
            self._expect(":")
            fields[name] = self.value()
            if not self._took(","):
                self._expect("}")
                break
        return fields


def _unescape(found: re.Match[str]) -> str:
    code, character = found.groups()
    return chr(int(code, 16)) if code else ESCAPED.get(character, character)
