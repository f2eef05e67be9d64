"""The report's experiments: what they change, and their tables and figures from the kept logs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from clevr_demo.serve.scoreboard import trained
from tests.serve.scoreboard.made import kept_run
from train import experiments
from train.learning.course import REPORT
from train.measure import cards


@pytest.mark.parametrize("name", list(trained.EXPERIMENTS))
def test_an_experiment_changes_one_setting_of_the_report(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    variants = trained.EXPERIMENTS[name]
    experiments.main([name, "--dry-run"])
    assert capsys.readouterr().out.splitlines() == list(variants)
    presets = [experiments.RUNS[run] for run in variants.values()]
    settings = [asdict(preset) | asdict(preset).pop("model") for preset in presets]
    changed = {
        field for values in settings for field in values if field != "model" and values[field] != settings[0][field]
    }
    assert len(changed) == 1
    assert REPORT in presets


@pytest.mark.parametrize("name", list(trained.EXPERIMENTS))
def test_an_experiments_table_and_figures_come_from_the_kept_logs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(experiments, "FOLDER", tmp_path / "experiments")
    for place, run in enumerate(trained.EXPERIMENTS[name].values()):
        kept_run(tmp_path / "experiments" / run, accuracy=place / 8)
    experiments.main([name, "--figure"])
    lines = capsys.readouterr().out.splitlines()
    # Accuracy and both losses are means of the last three rows.
    assert lines[3].split("|")[2:5] == [" 0.125 ", " 3.000 ", " 0.500 "]
    assert lines[3].split("|")[5:7] == [" 0.300, 0.400 ", " 0.300, 0.400 "]
    assert all((tmp_path / "experiments" / f"{name}{end}.png").exists() for end in cards.FIGURES.values())
    section = cards.experiments(tmp_path)
    assert lines[3] in section
    assert f"experiments/{name}-grids.png" in section


def test_an_experiment_is_scaled_to_its_epochs() -> None:
    loop = experiments.scaled(REPORT, epochs=3, pictures=100, batch=10).loop
    assert (loop.steps, loop.batch) == (30, 10)
    assert loop.log_every == 10 // trained.LOGS
    assert loop.sample_every == 30 // trained.GRIDS
