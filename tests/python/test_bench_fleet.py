"""What the rows of the fleet make of what was counted."""

from __future__ import annotations

from typing import Any

import pytest
from lifeline_bench.errors import BenchError
from lifeline_bench.real_fleet import judge
from lifeline_bench.rows import fleet
from lifeline_bench.site import Site


def told(accepted: list[float]) -> dict[str, list[float]]:
    return {
        "lost": [100.25, 100.0],
        "attempts": [102.0, 149.9, 150.0, 150.9, 151.0, 152.5],
        "accepted": accepted,
        "back": [at + 0.125 for at in accepted],
    }


def test_seconds_are_counted_from_the_return() -> None:
    real = judge(told([150.0, 150.9, 151.0, 152.5]), 150.0, clients=4, connects=10)
    assert (real.attempts, real.peak) == ([2, 1, 1], 2)
    assert (real.outage, real.noticed_within) == (50.0, 0.25)
    assert (real.accepted_95, real.back_95) == (2.5, 2.625)


def test_who_is_accepted_before_the_server_says_so_has_returned_with_it() -> None:
    real = judge(told([149.9, 150.9, 151.0, 152.5]), 150.0, clients=4, connects=10)
    assert real.outage == pytest.approx(49.9)
    assert sum(real.attempts) == 5


def test_a_client_that_stays_away_is_no_return(monkeypatch: pytest.MonkeyPatch) -> None:
    real = judge(told([150.0, 150.9, 151.0]), 150.0, clients=4, connects=10)
    assert (real.accepted_95, real.returned) == (None, 3)
    monkeypatch.setattr(fleet, "simulate", lambda *_, **__: pytest.fail("nothing to compare"))
    site: Any = None
    with pytest.raises(BenchError, match="only 3 of 4 came back"):
        fleet.compare(site, "policy", "ours", real)


def spread(median: float, worst: float) -> dict[str, float]:
    return {"median": median, "worst": worst}


def test_the_worst_moment_is_what_the_goals_are_for() -> None:
    countdown = {
        "returns": 60,
        "from_s": 37.5,
        "to_s": 321.5,
        "policy": {"peak_per_s": spread(11_500, 11_700), "back_95_s": spread(8.4, 8.5)},
        "python_socketio": {
            "peak_per_s": spread(28_000, 45_000),
            "back_95_s": spread(9.1, 10.0),
        },
    }
    figures = fleet.simulated(countdown)
    worst_peak, worst_time, median_peak, median_time = figures
    assert (worst_peak.ours, worst_peak.peer, worst_peak.met) == (11_700, 45_000, True)
    assert (worst_time.ours, worst_time.peer, worst_time.met) == (8.5, 10.0, True)
    # No goal: it and the median time exclude each other, and the note says so in numbers.
    assert median_peak.met is None
    assert "9,333/s" in median_peak.note
    assert "10,440/s" in median_peak.note
    assert (median_time.ours, median_time.met) == (8.4, True)


def test_a_simulation_that_cannot_be_run_is_told(site: Site) -> None:
    with pytest.raises(BenchError, match="lifeline fleet"):
        fleet.simulate(site, clients=1)


@pytest.fixture
def site(tmp_path: Any) -> Site:
    nowhere = tmp_path / "nowhere"
    return Site(
        root=tmp_path,
        packages=nowhere,
        policies=nowhere,
        test_policies=nowhere,
        bindings=nowhere,
        command=nowhere,
        peers=nowhere,
        scratch=tmp_path,
    )
