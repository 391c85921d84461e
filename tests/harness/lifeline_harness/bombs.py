"""Policies that are small and valid, and take a compiler more than Blender has."""

from __future__ import annotations

I32 = 0x7F


def in_policy(policy: bytes, module: bytes) -> bytes:
    """A policy with one module more, which nobody uses, but which is compiled with it."""
    return policy + _section(1, module)


def nested_locals(loops: int, locals_: int, functions: int = 1) -> bytes:
    """Loops within loops, at the bottom of which each local is used."""
    uses = b"".join(b"\x20" + _leb(local) + b"\x1a" for local in range(locals_))
    again = b"\x20\x00\x0d\x00"
    code = b"\x03\x40" * loops + uses + again + b"\x0b" * loops
    return _module([b"\x60\x00\x00"], [_body(locals_, code)] * functions)


def nested_values(loops: int, values: int, functions: int = 1) -> bytes:
    """Loops within loops, each with so many parameters and results."""
    wide = b"\x60" + _leb(values) + bytes([I32]) * values + _leb(values) + bytes([I32]) * values
    put = b"\x41\x00" * values
    drop = b"\x1a" * values
    code = put + b"\x03\x01" * loops + b"\x0b" * loops + drop
    return _module([b"\x60\x00\x00", wide], [_body(0, code)] * functions)


def branches(blocks: int, targets: int) -> bytes:
    """Tables of branches, each to all blocks around it."""
    table = b"\x41\x00\x0e" + _leb(targets) + b"".join(_leb(at % blocks) for at in range(targets))
    code = b"\x02\x40" * blocks + (table + b"\x00") + b"\x0b" * blocks
    return _module([b"\x60\x00\x00"], [_body(0, code)])


def _body(locals_: int, code: bytes) -> bytes:
    groups = b"\x01" + _leb(locals_) + bytes([I32]) if locals_ else b"\x00"
    return groups + code + b"\x0b"


def _module(types: list[bytes], bodies: list[bytes]) -> bytes:
    functions = _leb(len(bodies)) + b"\x00" * len(bodies)
    code = _leb(len(bodies)) + b"".join(_leb(len(body)) + body for body in bodies)
    sections = ((1, _leb(len(types)) + b"".join(types)), (3, functions), (10, code))
    return b"\0asm\x01\0\0\0" + b"".join(_section(id_, content) for id_, content in sections)


def _section(id_: int, content: bytes) -> bytes:
    return bytes([id_]) + _leb(len(content)) + content


def _leb(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _leb(rest) if rest else bytes([low])
