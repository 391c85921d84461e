"""The interface in a person's language, as Blender's preferences choose it."""

from __future__ import annotations

from tests.blender.conftest import MakeStage
from tests.blender.observe import assert_said, wait_unreachable

GERMAN = """
view = bpy.context.preferences.view
view.language = "de_DE"
view.use_translate_interface = view.use_translate_tooltips = True
"""
SHOWN = """
import cr8_router
from cr8_router.lifeline import native
from cr8_router.lifeline.preferences import fields
from cr8_router.lifeline.ui import status_bar, _overlay
from bpy.app.translations import pgettext_iface, pgettext_tip
wait = next(info for info in native.settings_table() if info["name"] == "unsaved_wait")
result = [
    _overlay.lines[0],
    status_bar.line.partition(" — ")[0],
    pgettext_iface("Keep Open", "Operator"),
    pgettext_tip(fields.described(wait)).partition(",")[0],
]
"""


def test_the_interface_is_german_and_the_log_is_not(make_stage: MakeStage) -> None:
    stage = make_stage(cleanup_timeout=60, warn_before=1)
    blender = stage.launch(stage.file)
    blender.run(GERMAN)
    stage.engine.kill()
    wait_unreachable(blender)
    assert blender.run(SHOWN) == [
        "Server nicht erreichbar",
        "Server nicht erreichbar",
        "Offen halten",
        "Wenn nichts gespeichert werden kann",
    ]
    assert_said(blender, "[INFO] 1-minute server cleanup timer started")
