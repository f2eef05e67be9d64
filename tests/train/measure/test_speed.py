"""The times of a race."""

from __future__ import annotations

from train.measure import speed
from train.measure.__main__ import job_of


def test_a_race_is_told_by_its_medians() -> None:
    timings = {
        "ours": [(0.4, 99.0, 20), (0.9, 99.5, 20), (0.5, 100.4, 20)],
        "theirs": [(9.0, 900.0, 100), (10.0, 900.0, 100), (20.0, 900.0, 100)],
    }
    found = speed.facts_of(timings)
    assert found["ours"] == {"seconds": 0.5, "ratio": 1.0, "evaluations": 20, "memory": 100}
    assert found["theirs"]["ratio"] == 20.0
    table = speed.table({"drawing": found, "device": "cpu", "threads": 1})
    assert "| theirs | 10.000 | 20.000 | 100 | 900 |" in table


def test_the_pages_own_request_runs_first() -> None:
    for kind, number in (("ddpm", 4), ("acgan", 3)):
        found = speed.runners(job_of(["speed", "--model", kind])[1], "cpu")
        assert len(found) == number
        assert next(iter(found)).startswith(f"{kind.upper()}, 20 frames")
