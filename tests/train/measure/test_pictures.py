"""Measures of pictures on made ones: each must rank right above nearly right, and nearly right above wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clevr_demo.objects import OBJECTS, decode, multi_hot
from clevr_demo.pictures import to_image
from tests.measuring import job, made, scene
from train.data.composing import Composer
from train.data.iclevr import load_pictures
from train.data.layout import find_layout
from train.measure import diversity, drawing, realism, robustness, sheet, sweep
from train.measure.drawing import CROP, Spot
from train.measure.job import read_metrics

# crops and realism ---------------------------------------------------------------------------------------------------


def test_crops_hold_their_object_and_stay_in_the_picture() -> None:
    pixels = torch.zeros(1, 3, 64, 64)
    spots: list[Spot] = [(0, 30.2, 40.7), (1, 2.0, 63.0)]
    for _, row, column in spots:
        pixels[0, :, round(row), round(column)] = 1
    found = drawing.crops(pixels, [spots])
    assert found.shape == (2, 3, CROP, CROP)
    assert found[0, 0, CROP // 2, CROP // 2] == 1
    assert found[1, 0, 2, CROP - 1] == 1


def test_real_spots_are_the_layouts(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    spots = drawing.real_spots(find_layout(pictures))
    for objects, labels in zip(spots, pictures.labels, strict=True):
        assert sorted(index for index, *_ in objects) == labels.nonzero().flatten().tolist()


def test_the_pyramid_keeps_the_picture() -> None:
    pixels = torch.rand(2, 3, 64, 64)
    parts = realism.pyramid(pixels, 3)
    assert [part.shape[-1] for part in parts] == [64, 32, 16]
    again = parts[-1]
    for part in parts[-2::-1]:
        wide = torch.zeros_like(part)
        wide[:, :, ::2, ::2] = again
        again = part + realism.smooth(wide, gain=4.0)
    assert torch.allclose(again, pixels, atol=1e-5)
    even = realism.pyramid(torch.full((1, 3, 64, 64), 0.5), 3)
    assert torch.allclose(even[-1], torch.tensor(0.5))


def test_sliced_wasserstein_of_shifted_gaussians_is_the_shift() -> None:
    generator = torch.Generator().manual_seed(0)
    block = torch.eye(4)
    points, moved = torch.randn(20_000, 4, generator=generator), torch.randn(10_000, 4, generator=generator) + 0.5
    distance = realism.apart(realism.sorted_projections(block, points), realism.sorted_projections(block, moved))
    assert distance == pytest.approx(0.5, abs=0.03)


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


def test_coverage_and_density_are_the_papers() -> None:
    real = torch.tensor([[float(n)] for n in range(10)])
    density, coverage = realism.density_coverage(real, torch.tensor([[0.0], [0.1]]))
    # The balls reach to the fifth neighbour: 0 and 0.1 lie in those of 0, ..., 5; 5's reaches from 2 or 3 on.
    radius = torch.cdist(real, real).sort(dim=1).values[:, 5]
    inside = (real - torch.tensor([0.0, 0.1])).abs() < radius.unsqueeze(1)
    assert coverage == pytest.approx(float(inside.any(dim=1).float().mean()))
    assert density == pytest.approx(float(inside.float().sum() / 10))
    assert realism.density_coverage(real, real)[1] == 1


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


# diversity -----------------------------------------------------------------------------------------------------------


def test_pairs_count_only_where_the_place_is_held() -> None:
    cut = torch.zeros(3, 3, CROP, CROP)
    cut[1], cut[2] = 0.2, 1.0
    found = diversity.pair_distances(cut, torch.tensor([[10.0, 10.0], [11.0, 10.0], [30.0, 10.0]]))
    assert found.tolist() == pytest.approx([0.2 * 127.5], abs=1e-3)


def test_diversity_ranks_turning_objects_above_frozen_ones() -> None:
    spots: list[list[Spot]] = [[(1, 26.0, 31.0)]] * 12
    turning = torch.stack([scene(one, seed) for seed, one in enumerate(spots)])
    frozen = torch.stack([scene(spots[0], 0)] * 12) + 0.01 * torch.randn(12, 3, 64, 64)
    other = torch.stack([scene(one, 100 + seed) for seed, one in enumerate(spots)])
    real, like, none = (diversity.class_distances(pixels, spots) for pixels in (other, turning, frozen))
    assert real is not None
    assert like is not None
    assert none is not None
    assert 0.8 < like / real < 1.25
    assert none / real < 0.5
    found = diversity.compared([like, None, none], [real, real, real])
    assert found["classes"] == 2
    assert found["least"] == pytest.approx(none / real, abs=1e-3)
    assert f"at {found['least']:.2f} times" in diversity.table(found)


# the sheet -----------------------------------------------------------------------------------------------------------


def test_the_sheet_puts_the_nearest_real_crop_beside_a_drawn_one() -> None:
    real = torch.rand(6, 3, CROP, CROP) * 2 - 1
    drawn = (real[[4, 2]] + 0.01).clamp(-1, 1)
    found = sheet.trios({0: drawn, 1: drawn[:0]}, {0: real, 1: real})
    assert len(found) == 2
    assert torch.equal(found[0][1], real[4])
    assert torch.equal(found[1][1], real[2])
    page = np.asarray(sheet.sheet(found))
    side = CROP * sheet.SCALE
    expected = np.asarray(to_image(found[0][0])).repeat(sheet.SCALE, 0).repeat(sheet.SCALE, 1)
    assert np.array_equal(page[sheet.HEAD : sheet.HEAD + side, :side], expected)


def test_the_sheet_of_a_model_lies_beside_its_weights(iclevr: Path, tmp_path: Path) -> None:
    sheet.run(job(iclevr, tmp_path / "model", "sheet"))
    with Image.open(tmp_path / "model" / sheet.FILE) as page:
        assert page.width > 1000
    assert sheet.FILE in sheet.card(tmp_path / "model", read_metrics(tmp_path / "model"))


# the sweep -----------------------------------------------------------------------------------------------------------


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


# robustness ----------------------------------------------------------------------------------------------------------


class Knowing:
    """A judge that is told what to see."""

    def __init__(self, seen: Sequence[Counter[str]]) -> None:
        self.left = [tuple(SimpleNamespace(name=name) for name in names.elements()) for names in seen]

    def detect(self, pixels: torch.Tensor) -> list[tuple[Any, ...]]:
        found, self.left = self.left[: len(pixels)], self.left[len(pixels) :]
        return found

    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        found = torch.zeros(len(pixels), len(OBJECTS))
        found[:, 0], found[:, 5] = 1.0, 0.5
        return found


def test_as_asked_and_as_shown_differ_for_a_double() -> None:
    labels = multi_hot([(0,), (0, 1)])
    shown = [Counter({OBJECTS[0]: 2}), Counter({OBJECTS[0]: 1, OBJECTS[1]: 1})]
    found = robustness.judged(Knowing(shown), (torch.zeros(2, 3, 64, 64), shown), labels)
    assert (found["asked"], found["exact"], found["number"]) == (0.5, 1.0, 1.0)
    one_missed = [Counter({OBJECTS[0]: 1}), shown[1]]
    found = robustness.judged(Knowing(one_missed), (torch.zeros(2, 3, 64, 64), shown), labels)
    assert (found["asked"], found["exact"], found["number"]) == (1.0, 0.5, 0.5)
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-3)


@pytest.mark.data
def test_spoiled_pictures_show_what_they_are_said_to(real_data: Path) -> None:
    pictures = load_pictures(real_data, progress=False).split()[1]
    held_out = realism.held_out_indices(pictures, 60)
    torch.manual_seed(0)
    compose = Composer(pictures, find_layout(pictures))
    found = {name: make() for name, make in robustness.versions(pictures, held_out, compose)}
    counts = [Counter(decode(row)) for row in pictures.labels[held_out]]
    plain = found[robustness.AS_THEY_ARE]
    assert plain[1] == counts
    removed, overlapping = found["one object removed"], found["two objects overlapping by a third"]
    assert all(a.total() == b.total() - 1 for a, b in zip(removed[1], counts, strict=True))
    assert sum(a.total() == b.total() + 1 for a, b in zip(overlapping[1], counts, strict=True)) > 50
    assert all(not names for names in found[f"blobs: {robustness.BLOBS['filled']}"][1])
    away = [(pixels - plain[0]).abs().mean() for name, (pixels, _) in found.items() if name.startswith("blurred")]
    assert away == sorted(away)
