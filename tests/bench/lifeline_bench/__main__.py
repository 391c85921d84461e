"""`python -m lifeline_bench [ROW…] [--json]`; `cargo xtask bench` prepares what it needs."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from lifeline_harness.errors import HarnessError

from lifeline_bench import report
from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Figure
from lifeline_bench.rows import ROWS
from lifeline_bench.site import Site


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    names = given.row or list(ROWS)
    site = Site.of_environment()
    figures: list[Figure] = []
    failed = []
    try:
        for name in names:
            print(f"  {name}: {ROWS[name].TITLE}", file=sys.stderr, flush=True)
            try:
                measured = ROWS[name].measure(site)
                figures += measured
                print(report.table(measured, end=False), file=sys.stderr, flush=True)
            except (BenchError, HarnessError) as error:
                failed.append(f"{name}: {error}")
                print(f"    not measured: {error}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(site.scratch, ignore_errors=True)
    if given.write is not None:
        if failed:
            print("  not everything was measured: the document stays as it was", file=sys.stderr)
        elif set(names) != set(ROWS):
            print("  some rows only: the document stays as it was", file=sys.stderr)
        else:
            given.write.write_text(report.document(figures, site), encoding="utf-8")
    if given.json:
        print(json.dumps({"rows": [figure.as_json() for figure in figures], "failed": failed}))
    else:
        print(report.table(figures))
        for line in failed:
            print(f"not measured: {line}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cargo xtask bench",
        description="Measure Lifeline beside what people use today. Rows: "
        + "; ".join(f"{name}: {row.TITLE}" for name, row in ROWS.items()),
    )
    parser.add_argument("row", nargs="*", choices=[[], *ROWS], help="these rows; none: all")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the document, if all was measured"
    )
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
