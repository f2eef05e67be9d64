"""The sweep over steps and samplers."""

from __future__ import annotations

from pathlib import Path

from clevr_demo.checkpoints import read_metrics
from tests.train.measure.made import job
from train.measure import sweep


def test_a_sweep_goes_on_and_lists_the_cheapest_first(iclevr: Path, tmp_path: Path) -> None:
    first = job(iclevr, tmp_path / "model", "sweep", "--steps", "4", "--pictures", "5")
    sweep.run(first)
    again = job(iclevr, tmp_path / "model", "sweep", "--steps", "2", "4", "--pictures", "5")
    sweep.run(again)
    assert len(again.model.drawn) == 5  # type: ignore[attr-defined]
    lines = sweep.card(tmp_path / "model", read_metrics(tmp_path / "model")).splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| dpm")]
    assert [row[2].strip() for row in rows] == ["2", "4"]
    assert all(0 <= float(row[6]) <= 1 for row in rows)
