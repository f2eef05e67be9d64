"""What is drawn for a measure, and the crops of objects."""

from __future__ import annotations

import torch

from train.data.layout import Layout
from train.measure import drawing
from train.measure.drawing import CROP


def test_what_is_measured_is_what_a_picture_file_holds() -> None:
    pixels = torch.rand(3, 8, 8) * 2.4 - 1.2
    levels = drawing.quantised(pixels).add(1).mul(127.5)
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert levels.amin() >= 0
    assert levels.amax() <= 255


def test_no_two_pictures_of_a_set_share_their_seed() -> None:
    runs = [drawing.seeds_of(run, 136) for run in range(20)]
    assert len({seed for seeds in runs for seed in seeds}) == 20 * 136


def test_crops_hold_their_object_and_stay_in_the_picture() -> None:
    pixels = torch.zeros(1, 3, 64, 64)
    spots = [(0, 30.2, 40.7), (1, 2.0, 63.0)]
    for _, row, column in spots:
        pixels[0, :, round(row), round(column)] = 1
    found = drawing.crops(pixels, Layout.of([spots]))
    assert found.shape == (2, 3, CROP, CROP)
    assert found[0, 0, CROP // 2, CROP // 2] == 1
    assert found[1, 0, 2, CROP - 1] == 1
    assert drawing.crops(pixels, Layout.of([[]])).shape == (0, 3, CROP, CROP)
