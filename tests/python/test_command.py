"""`python -m cr8_lifeline`: the command `lifeline`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "cr8_lifeline"]


def lifeline(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_policy_is_checked(five_minutes: Path) -> None:
    ran = lifeline("check", five_minutes, "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert (found["usable"], found["name"]) == (True, "five-minutes")


def test_the_exit_codes(tmp_path: Path) -> None:
    text = tmp_path / "text.wasm"
    text.write_text("(component)")
    assert lifeline("--help").returncode == 0
    assert lifeline("check", text).returncode == 1
    assert lifeline("chek", text).returncode == 2
    missing = lifeline("check", tmp_path / "missing.wasm")
    assert missing.returncode == 3
    assert "missing.wasm" in missing.stderr


def test_an_interrupt_ends_it() -> None:
    words = ["fleet", "five-minutes", "--clients", "5000000"]
    with subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        assert ran.stderr is not None
        ran.stderr.readline()  # it is at work
        time.sleep(0.2)
        ran.send_signal(signal.SIGINT)
        assert ran.wait(10) == -signal.SIGINT
