"""The story itself: lost, counted down, saved, closed, relaunched."""

from __future__ import annotations

import secrets
import signal
import time
from pathlib import Path
from typing import Any

from lifeline_harness import blend
from lifeline_harness.blender import Blender, Pending
from lifeline_harness.engine import Engine
from lifeline_harness.errors import GoneError, HarnessError, WaitError
from lifeline_harness.profile import Profile

from lifeline_demo.outcome import Outcome
from lifeline_demo.schedule import Schedule
from lifeline_demo.screen import Screen

USER = "demo"
STATUS = "import cr8_router; result = cr8_router.handler().status()"
NOTE = "lifeline-demo"
# The cube moves by eighths, which 32 bits hold exactly.
EIGHTHS = 33

ASK_SECONDS = 0.2
# A policy written in Python takes half a minute, once.
COMPILE_SECONDS = 240.0
DRAW_SECONDS = 0.1
# So much of the countdown is left when the picture is taken.
PICTURE_AT = 0.7


class Edit:
    """A change that no other run makes."""

    def __init__(self) -> None:
        self.text = secrets.token_hex(8)
        self.location = [(secrets.randbelow(EIGHTHS) - EIGHTHS // 2) / 8 for _ in range(3)]

    def make(self, blender: Blender) -> None:
        blender.run(
            f"bpy.data.objects['Cube'].location = {self.location!r}\n"
            f"bpy.data.texts.new({NOTE!r}).write({self.text!r})"
        )

    def is_in_file(self, file: Path) -> bool:
        """Another Blender looks. Raises HarnessError if the file cannot be opened."""
        facts = blend.inspect(file)
        cube = facts["objects"].get("Cube", {})
        return bool(facts["texts"].get(NOTE) == self.text and cube.get("location") == self.location)

    def is_in(self, blender: Blender) -> bool:
        found = blender.run(
            f"note, cube = bpy.data.texts.get({NOTE!r}), bpy.data.objects.get('Cube')\n"
            "result = [note and note.as_string(), cube and list(cube.location)]"
        )
        return bool(found == [self.text, self.location])


class Story:
    """One run in the profile's folder. `outcome` is filled as it goes on."""

    def __init__(
        self, profile: Profile, schedule: Schedule, screen: Screen, outcome: Outcome
    ) -> None:
        self.outcome = outcome
        self._profile = profile
        self._schedule = schedule
        self._screen = screen
        self._file = profile.folder / "work.blend"
        self._edit = Edit()

    def play(self) -> None:
        """Raises HarnessError."""
        self._make_file()
        with Engine(self._profile) as engine:
            self._screen.title("A server, and the Blender that it started")
            self._screen.note(f"the server listens on {engine.url}")
            with engine.launch(USER, self._file) as blender:
                self._work(engine, blender)
                self._lose(engine, blender)
            self._look_at_file()
            self._come_back(engine, blender.pid)

    def _make_file(self) -> None:
        save = f"import bpy; bpy.ops.wm.save_as_mainfile(filepath={str(self._file)!r})"
        plain = Profile(self._profile.folder / "plain", addon=False)
        options = ["--python-expr", save]
        with Blender.start(plain, background=True, arguments=options) as blender:
            if blender.wait_exit(90) != 0:
                raise HarnessError(f"no file could be made\n{blender.lines.tail()}")

    def _work(self, engine: Engine, blender: Blender) -> None:
        blender.wait_ready()
        engine.wait_for_blender(USER)
        version = ".".join(str(part) for part in blender.run("result = bpy.app.version[:]"))
        self._screen.note(f"Blender {version} (process {blender.pid}) is connected")
        self._screen.note(f"it has {self._file} open")
        self._decide(blender)
        self._edit.make(blender)
        x, y, z = self._edit.location
        self._screen.note(f"edited, not saved: the cube is at {x:g}, {y:g}, {z:g} now")

    def _decide(self, blender: Blender) -> None:
        """Wait for the policy that was named. Raises HarnessError if it is not taken."""
        named = self._profile.environment.get("CR8_POLICY", "built-in")
        end = time.monotonic() + COMPILE_SECONDS
        while (policy := blender.run(STATUS)["policy"])["origin"] != named:
            if policy["refused"] is not None:
                raise HarnessError(f"{named} was not taken: {policy['refused']['reason']}")
            if time.monotonic() > end:
                raise WaitError(f"{named} was not taken in time")
            time.sleep(ASK_SECONDS)
        self.outcome.policy = policy["name"]
        self._screen.note(f"its policy is {policy['name']} {policy['version']}: {policy['about']}")

    def _lose(self, engine: Engine, blender: Blender) -> None:
        self._screen.title(f"The server is killed ({signal.SIGKILL.name})")
        self._screen.lost()
        lost_at = time.monotonic()
        engine.kill()
        self._follow(blender, lost_at + self._schedule.limit)
        self.outcome.lost_to_quit_s = round(time.monotonic() - lost_at, 2)
        self.outcome.exit_code = blender.exit_code()
        self._screen.note(f"Blender has closed, exit code {self.outcome.exit_code}")
        self._screen.closed()

    def _follow(self, blender: Blender, end: float) -> None:
        """Tell what happens until Blender's end."""
        said = len(blender.lines.all())
        asking: Pending | None = None
        asked_at = answered_at = 0.0
        status: dict[str, Any] | None = None
        ended = False
        while not ended:
            if time.monotonic() > end:
                raise WaitError(f"Blender has not closed\n{blender.lines.tail()}")
            ended = blender.exit_code() is not None
            if ended:
                blender.lines.close()
            lines = blender.lines.all()
            for line in lines[said:]:
                if line.text.startswith("["):
                    self._screen.note(line.text)
            said = len(lines)
            if ended:
                return
            now = time.monotonic()
            if asking is not None and asking.done():
                status, answered_at, asking = asking.result(), asked_at, None
            if asking is None and now - asked_at >= ASK_SECONDS:
                asking, asked_at = blender.begin(STATUS), now
            if status is not None and status["policy"]["set_aside"]:
                self.outcome.set_aside = True
            if status is not None:
                self._screen.state(status, now - answered_at)
                self._picture(blender, status)
            time.sleep(DRAW_SECONDS)

    def _picture(self, blender: Blender, status: dict[str, Any]) -> None:
        left = status["remaining"]
        if self.outcome.screenshot or left is None:
            return
        if left > status["cleanup_timeout"] * PICTURE_AT:
            return
        path = self._profile.folder / "countdown.png"
        try:
            blender.screenshot(path)
        except GoneError:
            return  # the exit code tells more
        if path.exists():
            self.outcome.screenshot = str(path)
            self._screen.note(f"a picture of the window: {path}")

    def _look_at_file(self) -> None:
        self._screen.title("Another Blender looks into the saved file")
        self.outcome.saved = self._edit.is_in_file(self._file)
        self._screen.note(f"the edit is {'' if self.outcome.saved else 'NOT '}in it")

    def _come_back(self, engine: Engine, old: int) -> None:
        self._screen.title("The server is back, and relaunches Blender with the saved file")
        engine.start()
        with engine.launch(USER, self._file) as blender:
            blender.wait_ready()
            one = engine.wait_for_blender(USER)
            self.outcome.relaunched = blender.pid != old and one["blend_file_path"] == str(
                self._file
            )
            self._screen.note(f"Blender (process {blender.pid}) is connected")
            self.outcome.edit_survived = self._edit.is_in(blender)
            self._screen.note(f"the edit is {'' if self.outcome.edit_survived else 'NOT '}there")
