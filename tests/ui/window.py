"""Blender's window as a person sees it: the sidebar's tab, the overlay, the status bar.

The places are those of Blender's own start-up layout on the harness's display.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lifeline_harness.blender import Blender
from lifeline_harness.display import Display
from lifeline_harness.picture import Box, Picture
from lifeline_harness.pointer import Pointer
from lifeline_harness.waiting import wait_until

# Blender draws by software here.
DRAW_SECONDS = 20.0

OVERLAY: Box = (180, 540, 880, 640)
# Without the letters above it.
BAR: Box = (180, 610, 830, 614)
STATUS_BAR: Box = (0, 700, 400, 720)
SIDEBAR: Box = (836, 80, 1030, 640)
# In the middle of the 3D view, where nothing of ours is.
ASIDE = (420, 200)
# Below the tabs that Blender itself has.
_TAB_X = 1044
_TABS = range(200, 300, 12)


def amber(red: int, green: int, blue: int) -> bool:
    """The colour of the overlay's letters and of its bar."""
    return red > 240 and 180 < green < 215 and 50 < blue < 85


def alert(red: int, green: int, blue: int) -> bool:
    """The colour of a label that Blender's own theme shows as an alert (its axes are bluer)."""
    return red - green > 60 and abs(green - blue) < 8


_OPEN_SIDEBAR = """
for area in bpy.context.window_manager.windows[0].screen.areas:
    if area.type == "VIEW_3D":
        area.spaces[0].show_region_ui = True
"""
# Blender has no way to ask which tab is open, so the panel tells when it is drawn.
_TELL = """
import builtins
from cr8_router.lifeline.ui import panel
builtins.drawn = 0
original = panel.LinePanel.draw
def draw(self, context):
    builtins.drawn += 1
    original(self, context)
bpy.utils.unregister_class(panel.LinePanel)
panel.LinePanel.draw = draw
bpy.utils.register_class(panel.LinePanel)
"""
_TAKE = """
result = bpy.context.window_manager.clipboard
bpy.context.window_manager.clipboard = ""
"""
# How high a button is.
_BUTTON = 20
# Where each was found last: that is where it is looked for first.
_FOUND: dict[str, tuple[int, int]] = {}
_DRAWN = "import builtins; result = builtins.drawn"


def open_panel(blender: Blender, pointer: Pointer) -> None:
    """Open the sidebar on our tab, as a person does: the tabs below Blender's are tried."""
    blender.run(_OPEN_SIDEBAR)
    blender.run(_TELL)
    for y in _TABS:
        pointer.click(_TAB_X, y)
        time.sleep(0.3)
        if blender.run(_DRAWN):
            pointer.move(*ASIDE)
            return
    raise AssertionError("our tab was not found in the sidebar")


def draws(blender: Blender) -> int:
    """How often the panel was drawn since it was opened."""
    drawn: int = blender.run(_DRAWN)
    return drawn


def wait_picture(display: Display, what: str, sight: Callable[[Picture], bool]) -> Picture:
    """What is on the screen, once it shows this."""
    seen: list[Picture] = []

    def look() -> bool:
        seen[:] = [display.picture()]
        return sight(seen[0])

    wait_until(what, look, DRAW_SECONDS)
    return seen[0]


def find_buttons(
    blender: Blender, pointer: Pointer, box: Box, wanted: set[str]
) -> dict[str, tuple[int, int]]:
    """What can be pressed along the middle of a box, and where; at least what is wanted."""
    found = {name: place for name, place in _FOUND.items() if name in wanted}
    if set(found) == wanted and all(_at(blender, pointer, found[name]) == name for name in found):
        pointer.move(*ASIDE)
        return found
    found = scan(blender, pointer, box, wanted)
    _FOUND.update(found)
    return found


def scan(
    blender: Blender, pointer: Pointer, box: Box, wanted: set[str]
) -> dict[str, tuple[int, int]]:
    """As `find_buttons`, along all of the box."""
    found: dict[str, tuple[int, int]] = {}
    # On a busy computer Blender may draw a button later than the pointer is there.
    for _look in range(8):
        found |= _buttons(blender, pointer, box)
        if wanted <= set(found):
            return found
    raise AssertionError(f"not to be reached: {wanted - set(found)}")


def _buttons(blender: Blender, pointer: Pointer, box: Box) -> dict[str, tuple[int, int]]:
    """What can be pressed along the middle of a box, and where."""
    left, top, right, bottom = box
    x = (left + right) // 2
    found: dict[str, tuple[int, int]] = {}
    for y in range(top, bottom, _BUTTON - 5):
        if name := _at(blender, pointer, (x, y)):
            found.setdefault(name, (x, y))
    pointer.move(*ASIDE)
    return found


def _at(blender: Blender, pointer: Pointer, place: tuple[int, int]) -> str:
    """Which operator of ours can be pressed there; empty if none.

    Blender copies what a button does when Ctrl C is pressed over it.
    """
    pointer.copy(*place)
    time.sleep(0.15)
    copied = str(blender.run(_TAKE))
    if not copied.startswith("bpy.ops.cr8."):
        return ""
    return copied.removeprefix("bpy.ops.").partition("(")[0]
