# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, paths and errors as the log and the interface spell them."""

import math

# Letters of a line.
_LONGEST = 4_000
# Control characters, ends of lines, and what turns the direction of writing.
_HARMFUL = dict.fromkeys(
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        *range(0x200E, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    ],
    " ",
)


def amount(number: float, unit: str) -> str:
    """`5 minutes`, `1 second`, `2.5 seconds`."""
    return f"{_plain(number)} {unit}" if number == 1 else f"{_plain(number)} {unit}s"


def _plain(number: float) -> str:
    """At most one decimal, and never an exponent."""
    return f"{number:.1f}".removesuffix(".0")


def _in_unit(seconds: float) -> tuple[float, str]:
    """Whole minutes as minutes, anything else as seconds to a tenth."""
    rounded = round(seconds, 1)
    if rounded >= 60 and rounded % 60 == 0:
        return rounded / 60, "minute"
    return rounded, "second"


def span(seconds: float) -> str:
    """`5 minutes`, `90 seconds`."""
    return amount(*_in_unit(seconds))


def hyphenated(seconds: float) -> str:
    """`5-minute`, `90-second`."""
    number, unit = _in_unit(seconds)
    return f"{_plain(number)}-{unit}"


def clock(seconds: float) -> str:
    """`4:59`. Rounded up, so that 0:00 means now."""
    minutes, rest = divmod(max(0, math.ceil(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def utf8(text: str) -> str:
    """A path that is not UTF-8 (Python escapes its bytes) with those bytes replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def clean(text: str) -> str:
    """What may hold others' words, as it can go to a terminal: one line, of bounded length."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return short.translate(_HARMFUL)


def one_line(error: Exception) -> str:
    """What an operator of Blender has reported, perhaps in several lines."""
    return " ".join(str(error).replace("Error:", " ").split())
