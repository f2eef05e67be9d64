"""Masks of objects."""

from __future__ import annotations

import torch

from train.data.masks import differing, grown, lowest, soft


def test_a_mask_covers_what_differs() -> None:
    empty, pixels = torch.zeros(3, 64, 64), torch.zeros(2, 3, 64, 64)
    pixels[0, 1, 10:20, 30:40] = 0.5
    pixels[1, 0, 5, 5] = 0.1  # fainter than the threshold
    mask = differing(pixels, empty, 0.15)
    assert mask.sum(dim=(1, 2)).tolist() == [100, 0]
    assert mask[0, 10:20, 30:40].all()
    assert lowest(mask).tolist() == [19, -1]


def test_masks_grow_and_shrink() -> None:
    mask = torch.zeros(1, 12, 12, dtype=torch.bool)
    mask[0, 4:8, 4:8] = True
    assert int(grown(mask, 1).sum()) == 36
    assert int(grown(mask, -1).sum()) == 4
    assert torch.equal(grown(mask[0], 1), grown(mask, 1)[0])


def test_soft_edges_fade_to_both_sides() -> None:
    mask = torch.zeros(1, 12, 12, dtype=torch.bool)
    mask[0, 4:8, 4:8] = True
    faded = soft(mask, 2)
    assert float(faded.sum()) == 16
    along = faded[0, 6, :6].tolist()
    assert along == sorted(along)
    assert 0 < along[2] < along[4] < along[5] <= 1
