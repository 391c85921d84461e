"""What the bench makes of its figures. What it measures is not asserted anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lifeline_bench import __main__ as bench
from lifeline_bench import report
from lifeline_bench.errors import BenchError
from lifeline_bench.figure import Bound, Figure, number
from lifeline_bench.repeat import Sample, in_turn
from lifeline_bench.rows import ROWS
from lifeline_bench.site import Site


def figure(ours: float, peer: float | None = None, **more: object) -> Figure:
    given = {"row": "step", "what": "a step", "unit": "µs", "peer_name": "it", **more}
    return Figure(ours=ours, peer=peer, **given)  # type: ignore[arg-type]


def test_a_ratio_says_how_many_times_better_ours_is() -> None:
    assert figure(2, 10).ratio == 5
    assert figure(20, 10, better="more").ratio == 2
    assert figure(2).ratio is None
    assert figure(0, 10).ratio is None


@pytest.mark.parametrize(
    ("one", "met"),
    [
        (figure(4), None),
        (figure(5, goal=Bound(5)), True),
        (figure(5.1, goal=Bound(5)), False),
        (figure(5, goal=Bound(5, at_least=True)), True),
        (figure(4.9, goal=Bound(5, at_least=True)), False),
        (figure(1, 100, ratio_goal=Bound(100, at_least=True)), True),
        (figure(1, 99, ratio_goal=Bound(100, at_least=True)), False),
        # Both, or none.
        (figure(6, 1000, goal=Bound(5), ratio_goal=Bound(100, at_least=True)), False),
        # A comparison that was not made is not won.
        (figure(1, goal=Bound(5), ratio_goal=Bound(100, at_least=True)), False),
    ],
)
def test_a_goal_is_met_or_missed(one: Figure, met: bool | None) -> None:
    assert one.met is met


def test_numbers_keep_three_digits() -> None:
    given = (0, 0.00512, 0.512, 5.128, 51.28, 512.8, 34_398.2, 1_000_000)
    assert [number(one) for one in given] == [
        *("0", "0.0051", "0.512", "5.13", "51.3", "513", "34,398", "1,000,000"),
    ]


def test_competitors_take_turns_and_the_first_one_changes() -> None:
    order: list[str] = []

    def run(name: str, value: float) -> Callable[[], float]:
        def one() -> float:
            order.append(name)
            return value

        return one

    taken = in_turn({"a": run("a", 1), "b": run("b", 2)}, 3, lambda _: None)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (taken["a"].median, taken["b"].median) == (1, 2)


def test_quantiles() -> None:
    sample = Sample(tuple(float(it) for it in range(100, 0, -1)))
    assert (sample.quantile(0.5), sample.quantile(0.99), sample.quantile(1)) == (51, 100, 100)
    assert sample.spread == (1, 100)


def test_a_table_counts_what_was_met() -> None:
    figures = [figure(4, 900, goal=Bound(5)), figure(6, goal=Bound(5)), figure(1)]
    lines = report.table(figures).splitlines()
    assert lines[1].split("  ")[0] == "a step"
    assert "900 µs, it" in lines[1]
    assert "225×" in lines[1]
    assert lines[-1] == "1 of 2 goals met"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """One that measures nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = Site(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path, tmp_path, tmp_path, scratch)
    monkeypatch.setattr(Site, "of_environment", lambda: made)
    monkeypatch.setattr("lifeline_bench.peers.versions", lambda _site: ["it 1.0"])
    return made


class Stub:
    """A row that gives what it is told to."""

    TITLE = "A stub"

    def __init__(self, given: list[Figure] | BenchError) -> None:
        self._given = given

    def measure(self, _site: Site) -> list[Figure]:
        if isinstance(self._given, BenchError):
            raise self._given
        return self._given


def rows(monkeypatch: pytest.MonkeyPatch, **given: Stub) -> None:
    for name in list(ROWS):
        monkeypatch.delitem(ROWS, name)
    for name, stub in given.items():
        monkeypatch.setitem(ROWS, name, stub)


def test_the_document_says_why_a_goal_was_missed(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = figure(6, 12, goal=Bound(5), miss="the disk is slow", note="Warm.")
    rows(monkeypatch, step=Stub([missed, figure(4, goal=Bound(5), miss="not shown")]))
    document = site.root / "performance.md"
    assert bench.main(["--json", "--write", str(document)]) == 0
    text = document.read_text(encoding="utf-8")
    assert "## A stub\n\n| what | ours | peer | ratio | goal | met |\n" in text
    assert "| a step | 6 µs | 12 µs, it | 2× | ≤ 5 µs | no |" in text
    assert "Warm.\n\n**Missed:** the disk is slow" in text
    assert "not shown" not in text
    assert "Peers: it 1.0. **1 of 2 goals met.**" in text
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["failed"] == []
    assert answer["rows"][0]["row"] == "step"
    assert [row["met"] for row in answer["rows"]] == [False, True]
    assert not site.scratch.exists()


def test_a_document_is_written_of_all_rows_or_not_at_all(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows(monkeypatch, step=Stub([figure(1)]), poll=Stub(BenchError("no Blender")))
    document = site.root / "performance.md"
    assert bench.main(["step", "--write", str(document)]) == 0
    assert not document.exists()
    assert bench.main(["--write", str(document)]) == 1
    assert not document.exists()
    out = capsys.readouterr().out
    assert "not measured: poll: no Blender" in out
    with pytest.raises(SystemExit):
        bench.main(["pool"])
