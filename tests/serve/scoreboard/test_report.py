"""What stands of the report's own GAN is what its runs left, and its conclusions follow from them."""

from __future__ import annotations

import csv
import html
import re
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest

from clevr_demo.checkpoints import ROOT, read_config
from clevr_demo.serve.scoreboard import report
from clevr_demo.serve.scoreboard.board import Board
from clevr_demo.serve.scoreboard.trained import CURVES, EXPERIMENTS, Trained, trained
from tests.conftest import shipped
from tests.serve.scoreboard.made import board, kept_run

RUNS = {name for runs in EXPERIMENTS.values() for name in runs.values()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoints folder with every run; those with a longer name score better."""
    for name in RUNS:
        kept_run(tmp_path / "acgan" / "experiments" / name, 0.1, f"0.{10 + len(name)}{{step}}")
    return tmp_path


def said(page: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r'class="report-said">(.*?)</p>', page)]


def test_every_value_of_the_logs_is_drawn_and_stands_in_a_table(folder: Path) -> None:
    page = report.report_part(board(folder))
    variants = [1, *map(len, EXPERIMENTS.values())]
    assert page.count("<polyline") == sum(variants) * len(CURVES)
    assert page.count("<td>") - page.count("<thead><tr><td>") == sum(variants) * len(CURVES) * 4
    assert page.count("<img ") == 4
    assert html.unescape(page).count("Teacher's accuracy by epoch: the report's GAN from 0.100 to 0.100") == 1
    points = re.findall(r'<polyline class="curve side-0 dash-0" points="([^"]+)"', page)[1]
    at = [tuple(map(float, one.split(","))) for one in points.split()]
    # A loss of 1, 2, 3 and 4 after a quarter of an epoch each, on axes to 1 and 4.
    assert at == [(250, 750), (500, 500), (750, 250), (1000, 0)]


def test_conclusions_follow_from_the_runs(folder: Path) -> None:
    first, width, growing, _ = said(report.report_part(board(folder)))
    assert "generator loss from 0.500 to 0.500. The discriminator tells drawn pictures from real ones no more" in first
    assert "With width 1024 it scores 0.040 more than with width 512" in width
    assert "lambda growing from 0.2 to 0.5 it scores 0.080 more" in growing
    for name in EXPERIMENTS["width"].values():
        kept_run(folder / "acgan" / "experiments" / name, 0.1, "0.{step}")
    width = said(report.report_part(board(folder)))[1]
    assert width.startswith("No difference is shown: the variants' accuracies are at most 0.000 apart")
    assert width.endswith("a single run goes up and down by 0.100.")


@pytest.mark.parametrize(
    ("judged", "told"), [("0.05", "it is at chance"), ("0.3", "nearer to chance"), ("0.6", "nearer to the claim")]
)
def test_the_verdict_says_to_what_a_run_is_nearer(folder: Path, judged: str, told: str) -> None:
    kept_run(folder / "acgan" / "experiments" / "report", 0.1, judged)
    page = html.unescape(report.report_part(board(folder)))
    # Prompts of one, two and three objects, equally often: (1 + 4 + 9) / (1 + 2 + 3) / 24.
    assert "names at random would score 0.097: " in page
    assert "After 1 epoch of 18,009 pictures at batch 8 (the report: 3,000 at 512) the report's GAN scores" in page
    assert f" scores {float(judged):.3f}; the report claims 0.622" in page
    assert told in page


def test_what_was_not_run_or_is_broken_is_left_out(folder: Path) -> None:
    runs = folder / "acgan" / "experiments"
    (runs / "width-32" / "log.csv").write_text("step\n1\n")
    (runs / "lambda-growing" / "config.json").unlink()
    found = trained(runs)
    assert [*found["width"]] == ["width 128", "width 512", "width 1024"]
    assert [*found["lambda"]] == ["lambda fixed at 0.2"]
    assert "lambda growing" not in report.report_part(board(folder))
    (runs / "report" / "scores.csv").unlink()
    assert report.report_part(board(folder)) == ""


@pytest.mark.parametrize("most", [0.0003, 0.142, 1.0, 1.09, 3, 7.7, 10, 60, 3000])
def test_ticks_are_few_and_reach_the_most(most: float) -> None:
    found = report.ticks(most)
    assert found[0] == 0
    assert found[-2] < most <= found[-1] + 1e-9
    assert 3 <= len(found) <= 6


def test_what_is_told_of_the_committed_runs() -> None:
    """Counted here from the files; and what is said to be missing is."""
    runs = shipped("acgan") / "experiments"
    page = html.unescape(report.report_part(Board.of([])))
    with (runs / "report" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = Counter(row["step"] for row in rows)
    assert set(steps.values()) == {2}
    weight = {"test.json": 72, "new_test.json": 84}
    score = fmean(
        sum(weight[row["prompts"]] * float(row["accuracy"]) for row in rows if row["step"] == step) / 156
        for step in steps
    )
    training = read_config(runs / "report")["training"]
    epochs = training["pictures_seen"] / 18_009
    assert (
        f"After {epochs:.0f} epochs of 18,009 pictures at batch {training['batch']} (the report: 3,000 at 512)" in page
    )
    assert f"the report's GAN scores {score:.3f}; the report claims 0.622." in page
    assert all(Trained(runs / name).epoch(training["steps_done"]) == pytest.approx(epochs, abs=0.01) for name in RUNS)
    assert all(read_config(runs / name)["model"]["architecture"] == "report" for name in RUNS)
    assert not (ROOT / "ddpm" / "experiments").exists(), report.NO_DDPM
