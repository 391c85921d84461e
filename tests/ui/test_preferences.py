"""The preferences: every setting with its unit and limits, and what the environment has decided."""

from __future__ import annotations

from typing import Any

from lifeline_harness.blender import Blender

from tests.blender.conftest import MakeStage

# Draws the preferences on a layout that writes down what it is asked for.
DRAW = """
import cr8_router
from cr8_router.lifeline.preferences import layout as drawn

class Layout:
    def __init__(self, said, enabled=True):
        self.__dict__.update(said=said, enabled=enabled, children=[])
    def _below(self, *_, **__):
        child = Layout(self.said, self.enabled)
        self.children.append(child)
        return child
    row = column = split = box = _below
    def __setattr__(self, name, value):
        self.__dict__[name] = value
    def _say(self, kind, what):
        self.said.append([kind, what, self])
    def label(self, text="", icon="NONE"):
        self._say("label", text)
    def prop(self, data, name, **_):
        self._say("prop", name)
    def operator(self, name, **_):
        self._say("operator", name)
    def template_icon(self, **_):
        self._say("icon", "")

preferences = bpy.context.preferences.addons["cr8_router"].preferences
from cr8_router.lifeline import native
for section in drawn.sections(native.settings_table()):
    if hasattr(preferences, drawn.toggle(section)):
        setattr(preferences, drawn.toggle(section), True)

class Drawn:
    layout = Layout([])
    def __getattr__(self, name):
        return getattr(preferences, name)

class Context:
    preferences = bpy.context.preferences
    class region:
        width = 1000

one = Drawn()
type(preferences).draw(one, Context)
def greyed(layout, asked):
    # A layout that is not enabled greys what is below it.
    if any(child is asked or greyed(child, asked) is not None for child in layout.children):
        return True
    return None
def chain(layout, asked):
    if layout is asked:
        return [layout]
    for child in layout.children:
        if found := chain(child, asked):
            return [layout, *found]
    return []
result = [
    [kind, what, all(it.enabled for it in chain(one.layout, where))]
    for kind, what, where in one.layout.said
]
"""
FIELDS = """
ENDS = ("hard_min", "hard_max")
kind = type(bpy.context.preferences.addons["cr8_router"].preferences)
result = {
    name: [it.name, it.description, it.type, *(getattr(it, end, None) for end in ENDS)]
    for name, it in kind.bl_rna.properties.items()
}
"""


def fields(blender: Blender) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = blender.run(FIELDS)
    return found


def test_every_setting_has_a_field_with_its_unit_and_limits(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    there = fields(blender)
    table = blender.run("import cr8_lifeline; result = cr8_lifeline.settings_table()")
    assert len(table) > 30
    for info in table:
        name, description, kind, low, high = there[info["name"]]
        assert info["about"] in description
        assert info["variable"] in description
        if info["unit"]:
            assert name.endswith(f"({info['unit']})")
        if info["kind"] in ("seconds", "count"):
            assert kind in ("FLOAT", "INT")
            assert abs(low - info["minimum"]) < 1e-6
            assert abs(high - info["maximum"]) < 1e-3 * info["maximum"]
            assert "From " in description


def test_what_the_environment_decides_is_shown_and_greyed(make_stage: MakeStage) -> None:
    """With its own value; of a secret only that it is set."""
    stage = make_stage(cleanup_timeout=77)
    blender = stage.launch(stage.file)
    drawn = blender.run(DRAW)
    labels = {what: enabled for kind, what, enabled in drawn if kind == "label"}
    props = {what: enabled for kind, what, enabled in drawn if kind == "prop"}
    assert labels["77   (CR8_CLEANUP_TIMEOUT)"] is False
    assert labels["set   (CR8_AUTH_TOKEN)"] is False
    assert "cleanup_timeout" not in props
    assert "token" not in props
    assert props["unsaved_wait"] is True
    assert not any(stage.engine.token in what for _kind, what, _enabled in drawn)
    # Every setting is either shown or changed.
    table = blender.run("import cr8_lifeline; result = cr8_lifeline.settings_table()")
    for info in table:
        shown = any(what.endswith(f"({info['variable']})") for what in labels)
        assert shown != (info["name"] in props), info["name"]
    operators = [what for kind, what, _enabled in drawn if kind == "operator"]
    assert operators == [
        "cr8.connect",
        "cr8.disconnect",
        "cr8.open_recovery_folder",
        "cr8.check_policy",
        "cr8.reload_policy",
        "cr8.simulate_outage",
    ]


def test_a_setting_counts_from_the_next_connection_on(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    value = "import cr8_router; result = cr8_router.handler().settings()['unsaved_wait']"
    blender.run("bpy.context.preferences.addons['cr8_router'].preferences.unsaved_wait = 12.5")
    assert blender.run(value) == 3600
    blender.run("bpy.ops.cr8.connect()")
    stage.wait_connected(blender)
    assert blender.run(value) == 12.5


def test_an_outage_is_simulated_with_what_is_set(make_stage: MakeStage) -> None:
    """And drawn: a picture, and a line for each thing that happens."""
    stage = make_stage(cleanup_timeout=90, warn_before=30)
    blender = stage.launch(stage.file)
    blender.run("bpy.ops.cr8.simulate_outage()")
    blender.wait_alive(
        "the time line",
        lambda: blender.run(
            "from cr8_router.lifeline import trials; result = trials.rehearsed() is not None"
        ),
        30,
    )
    lines = blender.run(
        "from cr8_router.lifeline import trials\n"
        "result = [what for _at, what in trials.rehearsed().lines]"
    )
    assert "The countdown begins: 90 seconds to go" in lines
    assert "A warning: 30 seconds to go" in lines
    assert lines[-2:-1] == ["Blender closes"] or lines[-3:-1] == [
        "The file is saved",
        "Blender closes",
    ]
    drawn = blender.run(DRAW)
    assert [kind for kind, _what, _enabled in drawn].count("icon") == 10
    shown = [what for kind, what, _enabled in drawn if kind == "label"]
    assert "The server is lost" in shown
    # Nothing of it was real.
    assert blender.run(
        "import cr8_router; status = cr8_router.handler().status()\n"
        "result = [status['phase'], status['outages']]"
    ) == ["connected", 0]


def test_a_policy_that_cannot_be_simulated_says_why(make_stage: MakeStage) -> None:
    """What was handed over as bytes is in no file."""
    stage = make_stage()
    blender = stage.launch(stage.file)
    blender.run(
        "import cr8_router, pathlib, os\n"
        "policy = pathlib.Path(os.environ['LIFELINE_POLICIES']) / 'patient.wasm'\n"
        "cr8_router.handler().swap_policy(policy.read_bytes())"
    )
    blender.wait_for_line("Policy patient", 20)
    said = blender.run(
        "from cr8_router.lifeline import trials\n"
        "from cr8_router.lifeline.errors import AddonError\n"
        "try:\n    trials.simulate(); result = ''\n"
        "except AddonError as error:\n    result = str(error)"
    )
    assert said == (
        "patient is not from a file of this computer: revert the policy, or choose its file."
    )
