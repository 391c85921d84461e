"""`python -m lifeline_demo`. Exit code 0: everything held; 1: something did not."""

from __future__ import annotations

import argparse
import io
import signal
import sys
import tempfile
from pathlib import Path

from lifeline_harness import processes
from lifeline_harness.display import Display
from lifeline_harness.errors import HarnessError
from lifeline_harness.profile import ROOT, Profile

from lifeline_demo.outcome import Outcome
from lifeline_demo.page import PageOutcome, PageStory
from lifeline_demo.schedule import COMPRESSED, REAL_TIME, Schedule
from lifeline_demo.screen import Screen
from lifeline_demo.story import Story

FOLDER = ROOT / "target" / "demo"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lifeline_demo",
        description="Watch a real Blender lose its server, count down, save, close and come back.",
        epilog="The variable BLENDER names another Blender than the one on the path.",
    )
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="the true times, 34 s of attempts and 300 s of countdown, instead of compressed ones",
    )
    parser.add_argument(
        "--json", action="store_true", help="one line of JSON on stdout, all else on stderr"
    )
    parser.add_argument(
        "--window", action="store_true", help="show Blender on this display, not a virtual one"
    )
    parser.add_argument(
        "--policy", type=Path, help="let this policy decide instead of the built-in one"
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="with the user's page in a browser: it counts down, too, and relaunches Blender",
    )
    return parser.parse_args()


def _terminated(_number: int, _frame: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _run(schedule: Schedule, screen: Screen, options: argparse.Namespace) -> Outcome:
    """What was measured, however far it came."""
    before = processes.descendants()
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=FOLDER))
    outcome = PageOutcome() if options.browser else Outcome()
    try:
        with (
            tempfile.TemporaryDirectory() as buffer,
            Display.own() if options.window else Display.start(Path(buffer)) as display,
        ):
            environment = dict(schedule.environment)
            if options.policy is not None:
                environment["CR8_POLICY"] = str(options.policy.absolute())
            profile = Profile(folder, display, environment=environment)
            if isinstance(outcome, PageOutcome):
                window: bool = options.window
                PageStory(profile, schedule, screen, outcome, window=window).play()
            else:
                Story(profile, schedule, screen, outcome).play()
        processes.assert_none_left(before)
    except (HarnessError, AssertionError) as error:
        screen.title(f"The story ended early: {error}")
    return outcome


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _terminated)
    processes.adopt_orphans()
    schedule = REAL_TIME if options.real_time else COMPRESSED
    # What the encoding cannot carry becomes a question mark.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    screen = Screen(sys.stderr if options.json else sys.stdout, schedule.step)
    try:
        outcome = _run(schedule, screen, options)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    screen.title("All of it held." if outcome.complete() else "NOT all of it held:")
    for line in outcome.as_text():
        screen.note(line)
    if options.json:
        print(outcome.as_json())
    return 0 if outcome.complete() else 1


if __name__ == "__main__":
    sys.exit(main())
