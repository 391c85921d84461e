"""`python -m lifeline_soak`. Exit code 0: nothing was left over; 1: something was."""

from __future__ import annotations

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from lifeline_harness import processes
from lifeline_harness.display import Display
from lifeline_harness.errors import HarnessError
from lifeline_harness.profile import ROOT

from lifeline_soak import farewell, opening
from lifeline_soak.errors import ViolationError
from lifeline_soak.memory import BlendersMemory, OwnMemory
from lifeline_soak.plan import FAULTS, SURVIVED
from lifeline_soak.soak import Order, Soak

FOLDER = ROOT / "target" / "soak"
COMMAND = "cargo xtask soak"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lifeline_soak",
        description="Faults at random, again and again; after each, nothing may be left over.",
    )
    parser.add_argument(
        "--cycles", type=int, metavar="N", help="default: 100, or 12 with a Blender"
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="what happens follows from it; default: a new one"
    )
    parser.add_argument(
        "--from", type=int, default=1, dest="first", metavar="K", help="the first cycle; default: 1"
    )
    parser.add_argument(
        "--report-every", type=int, default=50, metavar="N", help="cycles; default: 50"
    )
    parser.add_argument(
        "--blender", action="store_true", help="a real Blender, in place of the host alone"
    )
    return parser.parse_args()


def _terminated(_number: int, _frame: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _order(options: argparse.Namespace) -> Order:
    blender = bool(options.blender)
    return Order(
        seed=secrets.randbelow(1_000_000) if options.seed is None else options.seed,
        cycles=options.cycles or (12 if blender else 100),
        first=options.first,
        faults=SURVIVED if blender else FAULTS,
        report_every=options.report_every,
        command=f"{COMMAND} --blender" if blender else COMMAND,
    )


def _run(options: argparse.Namespace, folder: Path) -> str:
    order = _order(options)
    if not options.blender:
        with opening.plain(folder) as site:
            return Soak(site, OwnMemory(), order).run()
    with (
        Display.start(folder / "display") as display,
        opening.in_blender(folder, display) as (site, blender, file),
    ):
        summary = Soak(site, BlendersMemory(), order).run()
        return f"{summary}; {farewell.part(site, blender, file)}"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _terminated)
    processes.adopt_orphans()
    before = processes.descendants()
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=FOLDER))
    try:
        summary = _run(options, folder)
        processes.assert_none_left(before)
    except ViolationError as error:
        print("\n".join(error.faults))
        print(f"  logs: {folder}")
        return 1
    except (HarnessError, AssertionError) as error:
        print(f"soak: it ended early: {error}\n  logs: {folder}")
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    shutil.rmtree(folder)
    print(summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
