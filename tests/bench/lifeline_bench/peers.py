"""What people use today for the same job, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from lifeline_bench.errors import BenchError
from lifeline_bench.site import Site

_NAMED = ("wasmtime", "python-socketio")


def ask(site: Site, source: str, *arguments: str, timeout: float = 120) -> Any:
    """Run Python code with the peers' packages; what it prints as JSON. Raises BenchError."""
    try:
        done = subprocess.run(
            [str(site.peers), "-c", source, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise BenchError(f"the peer failed: {error.stderr.strip()[-600:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"the peer cannot be run: {error}") from error
    return json.loads(done.stdout)


def versions(site: Site) -> list[str]:
    """Each with its version, as installed."""
    source = (
        "import json, sys; from importlib.metadata import version; "
        "print(json.dumps([f'{name} {version(name)}' for name in sys.argv[1:]]))"
    )
    return [str(one) for one in ask(site, source, *_NAMED)]
