"""Work that has no file yet."""

from __future__ import annotations

from pathlib import Path

from tests.blender.conftest import MakeStage
from tests.blender.stage import Stage, edit, saved_location

ANN = (1.5, -2.25, 3.0)
BOB = (-4.0, 0.5, 8.75)


def recovery_copies(stage: Stage) -> list[Path]:
    return sorted((stage.profile.folder / "datafiles" / "cr8_recovery").glob("*.blend"))


def test_untitled_work_is_found_again(make_stage: MakeStage) -> None:
    """Each user's own, though both were lost together and share the folder."""
    stage = make_stage(cleanup_timeout=2)
    ann, bob = stage.launch(None, "ann"), stage.launch(None, "bob")
    edit(ann, ANN)
    edit(bob, BOB)
    stage.engine.kill()
    stage.assert_closed(ann)
    stage.assert_closed(bob)
    copies = recovery_copies(stage)
    assert {saved_location(copy) for copy in copies} == {ANN, BOB}
    assert len(copies) == 2

    stage.engine.restart()
    again = stage.launch(None, "ann")
    recovered = again.wait_for_line(r"Recovered unsaved work from ", 30).text
    assert again.run("result = list(bpy.data.objects['Cube'].location)") == list(ANN)
    opened = again.run("result = bpy.data.filepath")
    assert recovered.endswith(opened)
    # The server is told of the file that was recovered.
    one = stage.engine.wait_for_blender("ann")
    assert one["blend_file_path"] == opened
