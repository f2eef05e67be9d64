"""Realism ranks right above nearly right, and nearly right above wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clevr_demo.checkpoints import read_metrics
from clevr_demo.objects import multi_hot
from tests.train.measure.made import job, made
from train.data.iclevr import load_pictures
from train.measure import realism


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """The table of the made pictures: real ones, slightly spoiled ones, and blobs."""
    floor = made(36, 2)
    sets = {("floor", 0): floor, ("drawn", 0): made(36, 3, blobs=True)}
    sets |= {
        (name, 0): (pixels, floor[1]) for name, pixels in realism.spoiled(floor[0], 0, blur=0.5, noise=3.0).items()
    }
    return realism.compared(made(36, 1), sets)


@pytest.mark.parametrize("column", ["whole 64", "crops 64"])
def test_realism_ranks_real_above_slightly_blurred_above_blobs(rows: dict[str, dict[str, Any]], column: str) -> None:
    ratios = {name: row[f"{column} ratio"]["mean"] for name, row in rows.items()}
    assert ratios["floor"] == 1
    assert 1.2 < ratios["blurred"] < ratios["drawn"]
    assert ratios["noisy"] > (1.2 if column.startswith("whole") else 0.9)  # edges drown the grain of crops


def test_coverage_falls_for_blobs_and_not_for_real_pictures(rows: dict[str, dict[str, Any]]) -> None:
    assert rows["floor"]["crops coverage"]["mean"] > 0.85
    assert rows["drawn"]["crops coverage"]["mean"] < 0.8 * rows["floor"]["crops coverage"]["mean"]


def test_twins_show_the_same_objects_where_there_are_such(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    training = pictures.split()[0]
    wanted = torch.cat([training.labels, multi_hot([(0, 1, 2)])])
    chosen = realism.twins(training, wanted, 0)
    assert torch.equal(training.labels[chosen[:-1]], training.labels)
    shared = training.labels @ wanted[-1]
    assert shared[chosen[-1]] == shared.max()


def test_realism_writes_its_table_with_the_drawn_pictures(iclevr: Path, tmp_path: Path, capsys: Any) -> None:
    run = job(iclevr, tmp_path / "model", "realism", "--draws", "2", "--pictures", "5")
    realism.run(run)
    found = read_metrics(tmp_path / "model")["realism"]
    assert set(found["rows"]) == set(realism.SETS)
    assert found["rows"]["drawn"]["whole 64 ratio"]["mean"] > 2
    assert (found["pictures"], found["draws"], found["command"]) == (5, 2, run.command)
    assert "real, the floor" in capsys.readouterr().out
