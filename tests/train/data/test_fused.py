"""Fused pairs: one outline, two colours that turn into each other."""

from __future__ import annotations

import torch

from tests.train.data.test_scenes import BLUE, RED, made
from train.data.fused import fused, hull, moved, spread, with_fused
from train.data.scenes import NOTHING, SIDE

PAIRS = made((1, RED), (2, BLUE))


def test_a_pair_has_one_convex_outline_and_both_colours() -> None:
    found, names = fused(PAIRS, 600, seed=0)
    assert len(names) > 50
    assert (found.objects == NOTHING).all()
    assert torch.equal(hull(found.masks), found.masks)
    assert (found.masks.sum(dim=(1, 2)) > 81).all()  # more than one of them
    reds, blues = found.levels[:, 0].flatten(1).amax(dim=1), found.levels[:, 2].flatten(1).amax(dim=1)
    two = names[:, 0] != names[:, 1]
    assert two.any()
    assert ((reds > 60) & (blues > 60))[two].float().mean() > 0.9
    assert torch.equal(names.sort(dim=1).values[two].unique(dim=0), torch.tensor([[1, 2]]))


def test_pairs_are_the_seeds_own() -> None:
    one, other = fused(PAIRS, 50, seed=3)[0], fused(PAIRS, 50, seed=3)[0]
    assert torch.equal(one.levels, other.levels)


def test_pairs_come_after_the_objects() -> None:
    both, names = with_fused(PAIRS, 200, seed=0)
    assert torch.equal(both.levels[:2], PAIRS.levels)
    assert len(both.rows) == 2 + len(names)


def test_moved_planes_lose_what_leaves_them() -> None:
    plane = torch.zeros(1, 1, SIDE, SIDE)
    plane[0, 0, 5, 5] = plane[0, 0, SIDE - 1, 5] = 1.0
    there = moved(plane, torch.tensor([[2, -3]]))
    assert there.nonzero()[:, 2:].tolist() == [[7, 2]]


def test_colours_spread_from_the_nearest_pixels() -> None:
    levels, mask = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    mask[0, 10:14, 10:14] = True
    levels[0, 1, 10:14, 10:14] = 70.0
    found = spread(levels, mask)
    assert torch.equal(found[..., 6:18, 6:18], levels[..., 10:11, 10:11].expand(1, 3, 12, 12))
