"""Diversity ranks turning objects above frozen ones."""

from __future__ import annotations

import pytest
import torch

from tests.train.measure.made import scene
from train.data.layout import Layout
from train.measure import diversity
from train.measure.drawing import CROP


def test_pairs_count_only_where_the_place_is_held() -> None:
    cut = torch.zeros(3, 3, CROP, CROP)
    cut[1], cut[2] = 0.2, 1.0
    found = diversity.pair_distances(cut, torch.tensor([[10.0, 10.0], [11.0, 10.0], [30.0, 10.0]]))
    assert found.tolist() == pytest.approx([0.2 * 127.5], abs=1e-3)


def test_diversity_ranks_turning_objects_above_frozen_ones() -> None:
    one = [(1, 26.0, 31.0)]
    turning, other = (torch.stack([scene(one, first + seed) for seed in range(12)]) for first in (0, 100))
    frozen = torch.stack([scene(one, 0)] * 12) + 0.01 * torch.randn(12, 3, 64, 64)
    real, like, none = (diversity.class_distances(x, Layout.of([one] * 12)) for x in (other, turning, frozen))
    assert real is not None
    assert like is not None
    assert none is not None
    assert 0.8 < like / real < 1.25
    assert none / real < 0.5
    found = diversity.compared([like, None, none], [real, real, real])
    assert found["classes"] == 2
    assert found["least"] == pytest.approx(none / real, abs=1e-3)
    assert f"at {found['least']:.2f} times" in diversity.table(found)
