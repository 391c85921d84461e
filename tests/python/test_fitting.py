"""Where the text over the 3D view goes."""

from __future__ import annotations

import runpy

import pytest

from tests.python.addon_texts import ADDON

# The add-on itself can be imported in a Blender only.
FITTING = runpy.run_path(str(ADDON / "ui" / "fitting.py"))


@pytest.mark.parametrize(
    ("room", "lines"),
    [
        (100, ["saved and closed in 4:59"]),
        (16, ["saved and closed", "in 4:59"]),
        (15, ["saved and", "closed in 4:59"]),
        (1, ["saved", "and", "closed", "in", "4:59"]),
    ],
)
def test_lines_are_no_wider_than_there_is_room(room: int, lines: list[str]) -> None:
    assert FITTING["wrapped"]("saved and closed in 4:59", room, len) == lines


@pytest.mark.parametrize(
    ("over", "left"),
    [
        ([], (0, 800)),
        ([(0, 40)], (40, 800)),
        ([(0, 40), (600, 800)], (40, 600)),
        ([(600, 800), (760, 800)], (0, 600)),
        # Nothing would be left to write in.
        ([(0, 390), (420, 800)], (0, 800)),
    ],
)
def test_what_lies_over_the_ends_is_left_out(
    over: list[tuple[float, float]], left: tuple[float, float]
) -> None:
    assert FITTING["free_part"]((0, 800), over, 100) == left
