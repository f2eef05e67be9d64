"""Copies are found, and what is only alike is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.checkpoints import read_metrics
from clevr_demo.judge.classifier import ClassifierNetwork
from clevr_demo.serve.scoreboard.copies import SPACES, copies_part, said, share_of
from tests.train.measure.made import job, scene
from train.measure import copies

CPU = torch.device("cpu")


def scenes(seeds: range) -> torch.Tensor:
    return torch.stack([scene([(1, 20.0 + seed % 5, 30.0 + seed % 7)], seed) for seed in seeds])


@pytest.mark.parametrize("space", ["pixels", "features"])
def test_a_model_that_copies_is_told_from_one_that_does_not(space: str) -> None:
    torch.manual_seed(0)
    points_of = copies.pixels_on(CPU) if space == "pixels" else copies.features_on(CPU, ClassifierNetwork().eval())
    training, held_out = scenes(range(100)), scenes(range(1000, 1040))
    sets = {"held-out": held_out, "copies": copies.noisy(training[:40])}
    with torch.inference_mode():
        honest = copies.compared(sets | {"drawn": scenes(range(2000, 2040))}, training, points_of)
        thief = copies.compared(sets | {"drawn": training[10:50]}, training, points_of)
    assert honest["near"]["mean"] < 0.1
    assert thief["near"]["mean"] > 0.9
    assert thief["drawn"]["99"] < honest["drawn"]["1"]
    found = {"rows": {"whole pixels": thief}}
    assert "where 1 % would be chance" in said("Thief", found)
    assert "no more than chance" in said("Honest", {"rows": {"whole pixels": honest}})
    assert share_of(thief).number == 40


def test_the_distance_is_the_root_mean_square_in_levels() -> None:
    one, other = torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    other[0], other[1] = 10 / 127.5, 3 / 127.5
    found = copies.nearest({"one": one, "two": other}, other[:1], copies.pixels_on(CPU))
    assert found["one"].tolist() == pytest.approx([10], abs=1e-2)
    assert found["two"].tolist() == pytest.approx([0, 7], abs=1e-2)


def test_the_measure_keeps_figures_for_card_and_page(iclevr: Path, tmp_path: Path) -> None:
    one = job(iclevr, tmp_path / "acgan", "copies", "--pictures", "3", "--device", "cpu")
    one.teacher = ClassifierNetwork().eval()
    copies.run(one)
    found = read_metrics(tmp_path / "acgan")["copies"]
    assert set(found["rows"]) == set(SPACES)
    assert found["model"] == one.model.name
    assert (tmp_path / "acgan" / copies.FIGURE).read_text().startswith("<svg")
    card = copies.card(tmp_path / "acgan", {"copies": found})
    assert "objects, features" in card
    assert "ACGAN draws" in card
    page = copies_part({"ACGAN": found})
    assert page.count('class="copy-row"') == len(SPACES)
    assert "png" not in page, "no picture is shown"
