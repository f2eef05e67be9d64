"""A judge's scenes of objects anywhere: none to eight, alike or not, and fused pairs that count for nothing."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from clevr_demo.objects import OBJECTS
from tests.train.made import squares
from train.data.anywhere import AnywhereComposer, stacked
from train.data.composing import Mixture, Scene
from train.data.scenes import MOST, NOTHING, material


@pytest.fixture(scope="module")
def compose() -> AnywhereComposer:
    pictures = squares()
    return AnywhereComposer(pictures, material(pictures), Mixture(anywhere=0.5, fused=0.5, alike=0.5), pairs=500)


def test_half_of_the_pictures_are_scenes_of_objects_anywhere(compose: AnywhereComposer) -> None:
    torch.manual_seed(0)
    scene = compose(torch.arange(36))
    assert scene.pixels.shape == (36, 3, 64, 64)
    assert scene.objects.shape[1] == MOST
    assert scene.pixels.abs().max() <= 1


def test_scenes_hold_none_to_eight_objects_some_alike(compose: AnywhereComposer) -> None:
    torch.manual_seed(0)
    names = compose.scattered(300).names()
    numbers = Counter(row.total() for row in names)
    assert numbers[0] > 0
    assert max(numbers) >= 4
    assert sum(max(row.values(), default=0) > 1 for row in names) > 10


def test_what_is_fused_counts_for_nothing(compose: AnywhereComposer) -> None:
    torch.manual_seed(0)
    scene, names = compose.fused_alone(50)
    assert not scene.told.any()
    assert all(row.total() == 2 for row in names)
    assert (scene.pixels.flatten(1).amax(dim=1) > 0.3).all()
    assert {name for row in names for name in row} <= set(OBJECTS)
    assert (compose.added.objects == NOTHING).sum() == len(compose.pairs)


def test_stacked_scenes_have_as_many_slots_as_the_widest() -> None:
    def scene(n: int, slots: int) -> Scene:
        there = torch.ones(n, slots)
        return Scene(torch.zeros(n, 3, 64, 64), there.long(), torch.ones(n, slots, 2), there, there.bool())

    both = stacked(scene(2, 3), scene(1, 5))
    assert both.objects.tolist() == [[1, 1, 1, -1, -1]] * 2 + [[1] * 5]
    assert both.told.sum().item() == 11
    assert both.centres.shape == (3, 5, 2)
