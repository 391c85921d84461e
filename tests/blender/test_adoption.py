"""Other add-ons that take Lifeline in: the example of docs/adopt.md, and one of another shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lifeline_harness import blend, bpy_module
from lifeline_harness.blender import Blender
from lifeline_harness.profile import LIBRARY, ROOT

from tests.blender.conftest import MakeStage
from tests.blender.observe import SAVING, assert_said, count
from tests.blender.stage import EDIT, Stage, edit
from tests.faults.bpy_process import assert_edit_saved

EXAMPLES = ROOT / "addon" / "examples"
USER = "turntable"
CONNECT_SECONDS = 60.0


def environment_of(stage: Stage) -> dict[str, str]:
    """What the example is configured by."""
    return {"TURNTABLE_URL": stage.engine.url, "TURNTABLE_TOKEN": stage.engine.token}


def blender_with(stage: Stage, addon: Path, environment: Mapping[str, str] = {}) -> Blender:
    """A Blender in which nothing is enabled, but this add-on and ours can be."""
    stage.profile.prepare()
    link = stage.profile.folder / "scripts" / "addons" / addon.name
    link.symlink_to(addon, target_is_directory=True)
    profile = replace(stage.profile, addon=False)
    chosen = {**environment_of(stage), **environment}
    return stage.own(Blender.start(profile, stage.file, environment=chosen)).wait_ready()


def enable(blender: Blender, addon: str) -> str:
    """As in the preferences. Gives the error, "" for none."""
    failed: str = blender.run(
        "import addon_utils, sys\n"
        "failures = []\n"
        "def keep(*_error):\n"
        "    failures.append(repr(sys.exc_info()[1]))\n"
        f"addon_utils.enable({addon!r}, default_set=True, handle_error=keep)\n"
        "result = ' '.join(failures)"
    )
    return failed


def disable(blender: Blender, addon: str) -> None:
    blender.run(f"import addon_utils; addon_utils.disable({addon!r}, default_set=True)")


def command(number: int, addon: str, name: str, **params: object) -> dict[str, Any]:
    return {
        "type": "addon_command",
        "addon_id": addon,
        "command": name,
        "params": params,
        "message_id": f"id-{number}",
        "metadata": {"route": "direct"},
    }


def ask(stage: Stage, event: str, message: Mapping[str, Any]) -> dict[str, Any]:
    """Send a command, and wait for this kind of answer: its payload's data."""
    stage.engine.emit(USER, "command_received", dict(message))
    (answer,) = stage.engine.wait_for_event(USER, event, 30)["data"]
    assert answer["message_id"] == message["message_id"]
    assert answer["type"] == event
    data: dict[str, Any] = answer["payload"]["data"]
    return data


def test_the_example_in_a_window(make_stage: MakeStage) -> None:
    """Its commands are answered, those that it does not know too, and its work is saved."""
    stage = make_stage(cleanup_timeout=2)
    blender = blender_with(stage, EXAMPLES / "turntable")
    assert enable(blender, "turntable") == ""
    ready = stage.engine.wait_for_event(USER, "turntable_ready", CONNECT_SECONDS)
    assert ready["data"] == [{"blender": blender.run("result = bpy.app.version_string")}]
    turned = ask(stage, "command_completed", command(1, "turntable", "turn", degrees=90))
    assert turned == {"turned": 90}
    failed = ask(stage, "command_failed", command(2, "sets", "build"))
    assert (failed["error_code"], failed["addon_id"]) == ("NOT_TAKEN", "sets")
    blender.wait_for_line(r"^\[WARNING\] Command not taken: .* the add-on sets installed", 10)
    assert blender.run("result = bpy.types.CR8_PT_line.bl_category") == "Turntable"
    edit(blender)
    stage.engine.kill()
    blender.wait_for_line("^Turntable: no server, transport error$", 30)
    stage.assert_closed(blender)
    facts = blend.inspect(stage.file)
    assert tuple(facts["objects"]["Cube"]["location"]) == EDIT
    assert facts["properties"]["turned"] == 90.0


def test_what_the_example_raises_is_answered(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = blender_with(stage, EXAMPLES / "turntable")
    enable(blender, "turntable")
    stage.engine.wait_for_event(USER, "turntable_ready", CONNECT_SECONDS)
    failed = ask(stage, "command_failed", command(1, "turntable", "turn"))
    assert failed["error_code"] == "HANDLER_FAILED"
    assert failed["message"] == "turntable.turn has failed: KeyError: 'degrees'"
    assert stage.engine.blender(USER) is not None


WITHOUT_WINDOW = """
import os, sys
sys.path[:0] = [{examples!r}, os.environ["LIFELINE_PYTHON"]]
import bpy
bpy.ops.wm.open_mainfile(filepath={file!r})
bpy.data.objects["Cube"].location = {edit!r}
import turntable
turntable.register()
turntable.sio.wait()
print("after the loop")
"""


def test_the_example_without_a_window_where_blender_is_offline(make_stage: MakeStage) -> None:
    """A library's caller answers for the access to the network, whatever Blender's switch says."""
    stage = make_stage(cleanup_timeout=2)
    source = WITHOUT_WINDOW.format(examples=str(EXAMPLES), file=str(stage.file), edit=EDIT)
    environment = environment_of(stage)
    blender = stage.own(bpy_module.start(stage.profile, source, environment=environment))
    stage.engine.wait_for_event(USER, "turntable_ready", CONNECT_SECONDS)
    assert ask(stage, "command_completed", command(1, "turntable", "turn", degrees=30)) == {
        "turned": 30
    }
    stage.engine.kill()
    stage.assert_closed(blender)
    assert not blender.lines.matching("^after the loop$")
    assert_edit_saved(stage)
    facts = bpy_module.inspect(stage.file)
    assert facts["properties"]["turned"] == 30.0


OFFLINE = """
import os, sys
sys.path[:0] = [{addons!r}, os.environ["LIFELINE_PYTHON"]]
import bpy
import cr8_router
cr8_router.register()
assert cr8_router.handler() is None
"""
SWITCH = "Edit > Preferences > System > Network > Allow Online Access"
# What the panel shows, written down.
DRAW = """
from types import SimpleNamespace
from cr8_router.lifeline import configuration, session
from cr8_router.lifeline.ui import panel
configuration.offline = lambda: True
session.start()
buttons, labels = [], []

class Layout:
    def column(self, **_):
        return self
    def operator(self, name, **_):
        buttons.append([name, SimpleNamespace()])
        return buttons[-1][1]
    def label(self, text, **_):
        labels.append(text)

context = SimpleNamespace(
    region=SimpleNamespace(width=400), preferences=bpy.context.preferences
)
panel.DetailsPanel.draw(SimpleNamespace(layout=Layout()), context)
result = [" ".join(labels), [[name, vars(button)] for name, button in buttons],
          "section" in bpy.ops.screen.userpref_show.get_rna_type().properties]
"""


def test_offline_it_stays_idle_in_words_that_lead_to_the_switch(make_stage: MakeStage) -> None:
    """As Blender's rules ask of an extension; told once, in the log."""
    stage = make_stage()
    source = OFFLINE.format(addons=str(ROOT / "addon"))
    environment = stage.engine.line("ann")
    blender = stage.own(bpy_module.start(stage.profile, source, environment=environment))
    assert blender.wait_exit(CONNECT_SECONDS) == 0
    (told,) = blender.lines.matching(r"^\[WARNING\]")
    assert told.text.startswith("[WARNING] Online access is off, so nothing guards this Blender.")
    assert SWITCH in told.text
    assert stage.engine.blender("ann") is None


def test_offline_the_panel_leads_to_the_switch(make_stage: MakeStage) -> None:
    stage = make_stage()
    blender = stage.launch(stage.file)
    told, buttons, has_section = blender.run(DRAW)
    assert SWITCH in told
    assert buttons[-1] == ["screen.userpref_show", {"section": "SYSTEM"}]
    assert has_section


def test_two_addons_that_both_carry_lifeline(make_stage: MakeStage) -> None:
    """The second is refused by a sentence, and takes its turn when the first is gone."""
    stage = make_stage()
    blender = blender_with(stage, EXAMPLES / "turntable", stage.engine.line("ann"))
    assert enable(blender, "cr8_router") == ""
    stage.engine.wait_for_blender("ann", CONNECT_SECONDS)
    refused = enable(blender, "turntable")
    assert "TakenError" in refused
    assert "Lifeline runs already in this Blender, in cr8_router." in refused
    assert "disable cr8_router, or turntable" in refused
    # The first one is as it was.
    assert blender.run("result = bpy.types.CR8_PT_line.bl_category") == "CR8"
    assert stage.engine.blender("ann") is not None
    disable(blender, "cr8_router")
    assert enable(blender, "turntable") == ""
    stage.engine.wait_for_event(USER, "turntable_ready", CONNECT_SECONDS)
    assert "in turntable." in enable(blender, "cr8_router")


OUTER = """
import bpy

from .vendor.lifeline import Client

bl_info = {"name": "Outer", "blender": (3, 4, 0), "category": "System"}


class Preferences(bpy.types.AddonPreferences):
    bl_idname = __package__
    unsaved_wait: bpy.props.FloatProperty(default=7.5)


client = Client(__package__, logger="outer", tab="Outer", settings={"render_wait": 3})
heard, refused = [], []
client.on("connect_error", refused.append)
client.on("blender_connected", lambda _greeting: None)
client.on("*", lambda *args: heard.append(args))
client.on("connect", lambda: heard.append("connect"))
client.on("disconnect", lambda reason: heard.append(reason))


def register():
    bpy.utils.register_class(Preferences)
    client.connect()


def unregister():
    client.disconnect()
    bpy.utils.unregister_class(Preferences)
"""


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    """An add-on that has Lifeline two packages down, and preferences of its own."""
    addon = tmp_path / "outer"
    vendor = addon / "vendor"
    vendor.mkdir(parents=True)
    (addon / "__init__.py").write_text(OUTER, encoding="utf-8")
    (vendor / "__init__.py").touch()
    (vendor / "lifeline").symlink_to(LIBRARY, target_is_directory=True)
    return addon


def test_nested_with_preferences_of_the_addons_own(make_stage: MakeStage, outer: Path) -> None:
    stage = make_stage()
    blender = blender_with(stage, outer, stage.engine.line("ann"))
    assert enable(blender, "outer") == ""
    stage.engine.wait_for_blender("ann", CONNECT_SECONDS)
    facts = blender.run(
        "import outer\n"
        "settings = outer.client.settings()\n"
        "kinds = [kind.__name__ for kind in bpy.types.AddonPreferences.__subclasses__()\n"
        "         if kind.is_registered and kind.bl_idname == 'outer']\n"
        "result = [settings['unsaved_wait'], settings['render_wait'], kinds,\n"
        "          list(bpy.ops.cr8.show_preferences()), bpy.types.CR8_PT_line.bl_category]"
    )
    assert facts == [7.5, 3, ["Preferences"], ["FINISHED"], "Outer"]
    disable(blender, "outer")
    blender.wait_alive("the goodbye", lambda: stage.engine.blender("ann") is None, 30)


def test_handlers_stay_whatever_becomes_of_the_session(make_stage: MakeStage, outer: Path) -> None:
    """Over *Connect*, a host thread that dies, another file, and an outage; each in its order."""
    stage = make_stage(cleanup_timeout=60)
    blender = blender_with(stage, outer, stage.engine.line("ann"))
    assert enable(blender, "outer") == ""

    def heard(*expected: object) -> None:
        wanted = [list(one) if isinstance(one, tuple) else one for one in expected]
        look = "import outer; result = outer.heard"
        blender.wait_alive(f"{wanted}", lambda: len(blender.run(look)) >= len(wanted), 30)
        assert blender.run(look) == wanted
        blender.run("import outer; outer.heard.clear()")

    def beat(number: int, *before: object) -> None:
        stage.engine.wait_for_blender("ann", CONNECT_SECONDS, connections=number)
        stage.engine.emit("ann", "beat", number)
        heard(*before, ("beat", number))

    beat(1, "connect")
    blender.run("bpy.ops.cr8.connect()")
    beat(2, "client disconnect", "connect")
    blender.run(f"bpy.ops.wm.open_mainfile(filepath={str(stage.new_file('other'))!r})")
    beat(2)
    blender.run(
        "from outer.vendor.lifeline import session; session.connection()._line._inject_fault()"
    )
    beat(3, "transport error", "connect")
    stage.engine.restart()
    beat(1, "transport error", "connect")
    stage.engine.disconnect("ann")
    beat(2, "server disconnect", "connect")


def test_what_cannot_be_sent_is_an_error(make_stage: MakeStage, outer: Path) -> None:
    """Before the connection, in an outage, and after the end."""
    stage = make_stage(cleanup_timeout=60)
    blender = blender_with(stage, outer, stage.engine.line("ann"))
    emit = (
        "import outer\n"
        "try:\n"
        "    outer.client.emit('hello', {'n': 1})\n"
        "    result = 'sent'\n"
        "except outer.vendor.lifeline.NotConnectedError as error:\n"
        "    result = str(error)"
    )
    failure = "hello was not sent: there is no connection to the server"
    assert blender.run(emit) == failure
    enable(blender, "outer")
    stage.engine.wait_for_blender("ann", CONNECT_SECONDS)
    blender.wait_alive(
        "connected", lambda: blender.run("import outer; result = outer.client.connected"), 30
    )
    assert blender.run(emit) == "sent"
    stage.engine.wait_for_event("ann", "hello", 30)
    stage.engine.kill()
    blender.wait_for_line(r"Trying to connect\.$", 30)
    assert blender.run(emit) == failure
    disable(blender, "outer")
    assert blender.run(emit) == failure
    assert count(blender, SAVING) == 0
    assert_said(blender, "[INFO] Connected to server")


def test_a_refusal_is_heard_of(make_stage: MakeStage, outer: Path) -> None:
    """With the server's own words, and once for each reason."""
    stage = make_stage(cleanup_timeout=60)
    stage.engine.refuse()
    blender = blender_with(stage, outer, stage.engine.line("ann"))
    assert enable(blender, "outer") == ""
    blender.wait_for_line("attempt 3 of 5", 30)
    ((error,), heard) = blender.run("import outer; result = [outer.refused, outer.heard]")
    assert "connections are refused" in error["message"]
    assert heard == []
    stage.engine.refuse(False)
    blender.wait_for_line("^.INFO. Connected to server$", 30)
    assert blender.run("import outer; result = outer.heard") == ["connect"]


ARGUMENTS = """
from outer.vendor.lifeline import ArgumentError, Client
result = {}
for name, call in {
    "client": lambda: Client(ssl_verify=False),
    "connect": lambda: Client().connect(query="a"),
    "namespaces": lambda: Client().connect(namespaces=["/other"]),
    "on": lambda: Client().on("beat", print, namespace="/other"),
    "auth": lambda: Client().connect(auth={"password": "secret"}),
    "header": lambda: Client().connect(headers={"X-Gate": "secret; X-Other: 1"}),
    "callable": lambda: Client().connect("http://127.0.0.1:1", auth=lambda: {"api_key": "secret"}),
}.items():
    try:
        result[name] = repr(call())
    except ArgumentError as error:
        result[name] = str(error)
"""


def test_what_a_client_does_not_take_is_an_error(make_stage: MakeStage, outer: Path) -> None:
    """Told at once; nothing is begun, and no secret is in the words."""
    stage = make_stage()
    blender = blender_with(stage, outer)
    assert blender.run(ARGUMENTS) == {
        "client": "Client takes no ssl_verify: see docs/adopt.md",
        "connect": "connect takes no query: see docs/adopt.md",
        "namespaces": "the only namespace is /blender, not /other",
        "on": "the only namespace is /blender, not /other",
        "auth": "auth takes blend_file_path, token, username; not password",
        "header": "the header X-Gate has a semicolon or an end of line in it",
        "callable": "auth takes blend_file_path, token, username; not api_key",
    }
    assert blender.run("import sys; result = hasattr(sys, '_lifeline_of_this_blender')") is False


def connected(stage: Stage, outer: Path, more: str = "") -> Blender:
    """With handlers that act on the connection."""
    with (outer / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(more)
    blender = blender_with(stage, outer, stage.engine.line("ann"))
    assert enable(blender, "outer") == ""
    stage.engine.wait_for_blender("ann", CONNECT_SECONDS)
    blender.wait_alive("connect", lambda: blender.run("import outer; result = outer.heard"), 30)
    return blender


AGAIN = """
def again(reason):
    heard.append(reason)
    if len(heard) == 2:
        client.connect()
client.on("disconnect", again)
"""


@pytest.mark.parametrize("end", ["outer.client.disconnect()", "bpy.ops.cr8.connect()"])
def test_a_handler_of_the_end_connects_again(make_stage: MakeStage, outer: Path, end: str) -> None:
    """There is one connection then, and all that belongs to it works."""
    stage = make_stage(cleanup_timeout=60)
    blender = connected(stage, outer, AGAIN)
    blender.run(f"import outer; {end}")

    def wait_heard(times: int) -> None:
        wanted = ["connect", "client disconnect"] * times + ["connect"]
        look = "import outer; result = outer.heard"
        blender.wait_alive(f"{wanted}", lambda: blender.run(look) == wanted, 30)

    wait_heard(1)
    assert blender.run("result = list(bpy.ops.cr8.connect())") == ["FINISHED"]
    wait_heard(2)
    disable(blender, "outer")
    blender.wait_alive("the goodbye", lambda: stage.engine.blender("ann") is None, 30)
    assert blender.run("result = hasattr(bpy.types, 'CR8_PT_line')") is False


ENDING = """
client.on("disconnect", lambda reason: client.disconnect())
"""


def test_a_handler_of_the_end_ends_all(make_stage: MakeStage, outer: Path) -> None:
    """Whoever has asked for a new connection does not get one behind the add-on's back."""
    stage = make_stage(cleanup_timeout=60)
    blender = connected(stage, outer, ENDING)
    blender.run("bpy.ops.cr8.connect()")
    blender.wait_alive("the goodbye", lambda: stage.engine.blender("ann") is None, 30)
    assert blender.run(
        "from outer.vendor.lifeline import session; result = session.connection() is None"
    )


GIVES_UP = """
def give_up(error):
    refused.append(client.ready())
    client.disconnect()
client.on("connect_error", give_up)
"""


def test_a_handler_gives_up_where_nothing_is_configured(make_stage: MakeStage, outer: Path) -> None:
    """While Lifeline is being shown: nothing of it is left."""
    stage = make_stage()
    with (outer / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(GIVES_UP)
    blender = blender_with(stage, outer)
    assert enable(blender, "outer") == ""
    blender.wait_alive("heard", lambda: blender.run("import outer; result = outer.refused"), 30)
    assert blender.run("import outer; result = outer.refused") == [False]
    assert blender.run("result = hasattr(bpy.types, 'CR8_PT_line')") is False
    assert blender.run("import sys; result = hasattr(sys, '_lifeline_of_this_blender')") is False


STALLS = """
import time
client.on("stall", lambda: time.sleep(2))
def stop(number):
    heard.append(number)
    client.disconnect()
client.on("stop", stop)
"""


def test_nothing_is_heard_after_the_end(make_stage: MakeStage, outer: Path) -> None:
    """What has come together with what ended it is nobody's any more."""
    stage = make_stage(cleanup_timeout=60)
    blender = connected(stage, outer, STALLS)
    stage.engine.emit("ann", "stall")
    for number in range(2):
        stage.engine.emit("ann", "stop", number)
    blender.wait_alive("the goodbye", lambda: stage.engine.blender("ann") is None, 30)
    heard = blender.run("import outer; result = outer.heard")
    assert heard == ["connect", 0, "client disconnect"]
