"""What an administrator sees of a real Blender."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from tests.blender.conftest import MakeStage
from tests.blender.stage import edit

ON = "cr8_lifeline_state", "cr8_lifeline_state"


def value(families: list[Metric], name: str, label: str, content: str) -> float:
    (found,) = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and sample.labels.get(label) == content
    ]
    return found


def test_connected_and_saved_and_closed(make_stage: MakeStage, tmp_path: Path) -> None:
    file = tmp_path / "lifeline.prom"
    stage = make_stage(cleanup_timeout=2, metrics_file=str(file))
    blender = stage.launch(stage.file)
    text = blender.run("import cr8_router; result = cr8_router.handler().metrics()")
    connected = list(openmetrics(text))  # type: ignore[no-untyped-call]
    assert value(connected, *ON, "connected") == 1
    assert stage.engine.token not in str(text)
    edit(blender)
    stage.engine.kill()
    stage.assert_closed(blender)
    closed = list(prometheus(file.read_text()))
    assert value(closed, *ON, "closed") == 1
    assert value(closed, "cr8_lifeline_cleanups_total", "outcome", "quit") == 1
    assert value(closed, "cr8_lifeline_saves_total", "outcome", "in-place") == 1
    sizes = {it.name: it.samples[0].value for it in closed}
    assert sizes["cr8_lifeline_last_save_bytes"] == stage.file.stat().st_size
