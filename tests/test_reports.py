"""The tables of the README and the model cards, and the report's experiments."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from clevr_demo.checkpoints import ROOT
from tests.conftest import shipped
from train import cards, experiments, sampling, speed
from train.acgan import REPORT

SCORES = {
    "accuracy": {"mean": 0.9125, "std": 0.0141},
    "exact_match": {"mean": 0.8, "std": 0.02},
    "seeds": 5,
    "network_evaluations": 30,
    "command": "python -m train.benchmark --model ddpm",
    "model": "ddpm@12345678",
    "judge": "evaluator@87654321",
}


def test_the_overview_shows_the_measured_scores_beside_the_reports(tmp_path: Path) -> None:
    for model in ("ddpm", "evaluator"):
        (tmp_path / model).mkdir()
    (tmp_path / "ddpm" / "metrics.json").write_text(json.dumps({"test": SCORES}))
    ceiling = {"held_out": {"pictures": 903, "accuracy": 0.9951, "exact_match": 0.9822}}
    (tmp_path / "evaluator" / "metrics.json").write_text(json.dumps(ceiling))
    lines = cards.overview(tmp_path).splitlines()
    ours = next(line for line in lines if line.startswith("| DDPM, this project"))
    assert [cell.strip() for cell in ours.split("|")[2:-1]] == ["0.912 ± 0.014", "-", "0.800 ± 0.020", "-"]
    assert any("DDPM" in line and "0.847" in line and "0.869" in line for line in lines)
    assert any("ACGAN" in line and "0.611" in line and "0.631" in line for line in lines)
    assert "0.995" in lines[-1]
    assert "0.982" in lines[-1]


def test_a_card_names_weights_judge_and_command(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"test": SCORES, "new_test": SCORES}))
    table = cards.generator_table(tmp_path)
    for fact in ("ddpm@12345678", "evaluator@87654321", SCORES["command"], "not trained yet", "| new_test |"):
        assert str(fact) in table


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = f"before {cards.BEGIN}\nold\n{cards.END} after"
    assert cards.filled(text, r"new \1") == f"before {cards.BEGIN}\nnew \\1\n{cards.END} after"
    assert cards.filled("no markers", "new") == "no markers"


def test_the_committed_tables_are_those_of_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ddpm", "acgan", "evaluator"):
        shipped(name)
    cards.main(["--check"])
    assert all(cards.BEGIN in path.read_text(encoding="utf-8") for path in cards.tables(ROOT))


@pytest.mark.parametrize("name", list(experiments.EXPERIMENTS))
def test_an_experiment_changes_one_setting_of_the_report(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    variants = experiments.EXPERIMENTS[name]
    experiments.main([name, "--dry-run"])
    assert capsys.readouterr().out.splitlines() == list(variants)
    presets = [experiments.RUNS[run] for run in variants.values()]
    settings = [asdict(preset) | asdict(preset).pop("model") for preset in presets]
    changed = {
        field for values in settings for field in values if field != "model" and values[field] != settings[0][field]
    }
    assert len(changed) == 1
    assert REPORT in presets


def kept_run(folder: Path, accuracy: float) -> None:
    """What a finished run of forty steps leaves, logged every ten."""
    folder.mkdir(parents=True)
    curves = "".join(f"{step},{accuracy},{step / 10},0.5\n" for step in (10, 20, 30, 40))
    (folder / "log.csv").write_text(f"step,{','.join(experiments.CURVES)}\n{curves}")
    scores = "".join(f"{step},{name},0.{step},0.01\n" for step in (30, 40) for name in experiments.PROMPTS)
    (folder / experiments.SCORES).write_text("step,prompts,accuracy,std\n30,test.json,0.99,0.01\n" + scores)
    training = {"steps_done": 40, "log_every": 10, "batch": 8}
    (folder / "config.json").write_text(json.dumps({"training": training}))
    for step in (10, 20, 30, 40):
        Image.new("RGB", (64, 32)).save(folder / f"{step:08d}.png")


@pytest.mark.parametrize("name", list(experiments.EXPERIMENTS))
def test_an_experiments_table_and_figures_come_from_the_kept_logs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(experiments, "FOLDER", tmp_path / "experiments")
    for place, run in enumerate(experiments.EXPERIMENTS[name].values()):
        kept_run(tmp_path / "experiments" / run, accuracy=place / 8)
    experiments.main([name, "--figure"])
    lines = capsys.readouterr().out.splitlines()
    # Accuracy and both losses are means of the last three rows; a step scored twice counts once, with its last score.
    assert lines[3].split("|")[2:5] == [" 0.125 ", " 3.000 ", " 0.500 "]
    assert lines[3].split("|")[5:7] == [" 0.300, 0.400 ", " 0.300, 0.400 "]
    assert all((tmp_path / "experiments" / f"{name}{end}.png").exists() for end in cards.FIGURES.values())
    section = "\n".join(cards.experiments(tmp_path))
    assert lines[3] in section
    assert f"experiments/{name}-grids.png" in section


def test_an_experiment_is_scaled_to_its_epochs() -> None:
    loop = experiments.scaled(REPORT, epochs=3, pictures=100, batch=10).loop
    assert (loop.steps, loop.batch) == (30, 10)
    assert loop.log_every == 10 // experiments.LOGS
    assert loop.sample_every == 30 // experiments.GRIDS


def test_a_speed_table_compares_medians_with_the_first(tmp_path: Path) -> None:
    timings = {
        "ours": speed.Timing([0.4, 0.9, 0.5], 100.4, 20),
        "theirs": speed.Timing([9.0, 10.0, 20.0], 900.0, 100),
    }
    found = speed.facts(timings)
    assert found["ours"] == {"seconds": 0.5, "ratio": 1.0, "evaluations": 20, "peak_memory_mib": 100}
    assert found["theirs"]["ratio"] == 20.0
    (tmp_path / "metrics.json").write_text(json.dumps({"speed": found}))
    assert "| theirs | 10.00 | 20.0 | 100 | 900 |" in cards.generator_table(tmp_path)


def test_a_card_lists_the_sweep_by_its_cost(tmp_path: Path) -> None:
    row = {"model": "ddpm@1", "sampler": "dpm", "interval": "0-1", "prompts": 32, "seeds": 1, "exact_match": "0.5000"}
    for evaluations in (100, 8, 20):
        settings = {"steps": evaluations, "guidance": 1.0, "evaluations": evaluations, "accuracy": "0.9000"}
        sampling.append(tmp_path / "sampling.csv", row | settings)
    lines = [line for line in cards.generator_table(tmp_path).splitlines() if "| dpm |" in line]
    assert [line.split("|")[1].strip() for line in lines] == ["8", "20", "100"]


def test_a_card_shows_the_variants_that_were_compared(tmp_path: Path) -> None:
    (tmp_path / "variants.csv").write_text("variant,frechet\nmaps,3.5\nreal pictures,1.2\n")
    assert "| maps | 3.5 |" in cards.generator_table(tmp_path)
    assert "| real pictures | 1.2 |" in cards.generator_table(tmp_path)
