"""The tables of the README and the model cards, and the report's experiments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clevr_demo.checkpoints import ROOT
from tests.conftest import shipped
from train import cards, experiments
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
    for preset in variants.values():
        differing = {field for field in vars(REPORT) if getattr(preset, field) != getattr(REPORT, field)}
        assert len(differing) <= 1
    assert REPORT in variants.values()


def test_an_experiment_is_scaled_to_its_epochs() -> None:
    loop = experiments.scaled(REPORT, epochs=3, pictures=100, batch=10).loop
    assert (loop.steps, loop.batch, loop.log_every) == (30, 10, 10)
    assert loop.sample_every == 30 // experiments.GRIDS
