"""What planners that take given places learn from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.places import on_ground
from tests.train.made import squares
from train.data.given import planners_layouts, some_given
from train.data.iclevr import load_pictures
from train.data.layout import Layout, find_layout, teaching_layouts
from train.data.lifting import true_layout


def test_real_layouts_come_first_and_a_tenth_is_made_for_given_places_alone() -> None:
    pictures = squares()
    layouts, real = planners_layouts(pictures, given=True)
    expected = teaching_layouts(true_layout(pictures))
    assert torch.equal(layouts.take(slice(0, real)).ticked(), expected.ticked())
    assert torch.equal(layouts.take(slice(0, real)).by_object(), expected.by_object())
    assert len(layouts) - real == pytest.approx(0.1 * len(layouts), abs=2)
    others = layouts.take(slice(real, None))
    assert ((others.objects >= 0).sum(dim=1) >= 2).all()
    few = round(0.2 * len(others))
    without, scattered = others.take(slice(0, few)), others.take(slice(few, None))
    assert (without.centres[without.objects >= 0] - torch.tensor([28.0, 31.0])).norm(dim=1).min() > 8
    assert on_ground(scattered.centres[scattered.objects >= 0]).all()
    assert scattered.nearest().min() >= 9


def test_without_given_places_the_planner_learns_from_what_it_did(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    layouts, real = planners_layouts(pictures, given=False)
    expected = teaching_layouts(find_layout(pictures))
    assert real == len(layouts)
    assert torch.equal(layouts.centres, expected.centres)


def test_in_half_of_the_examples_nothing_is_given_and_never_all() -> None:
    torch.manual_seed(0)
    objects = torch.arange(5).expand(20_000, 5).clone()
    counts = torch.randint(1, 6, (20_000,))
    objects[torch.arange(5) >= counts.unsqueeze(1)] = -1
    unreal = torch.arange(20_000) >= 18_000
    given = some_given(objects, unreal)
    number = given.sum(dim=1)
    assert not given[objects < 0].any()
    assert (number < counts).all()
    several = counts > 1
    assert (number[unreal & several] > 0).all()
    assert float((number[several] == 0).float().mean()) == pytest.approx(0.5, abs=0.02)
    threes = number[(counts == 3) & (number > 0)]
    assert float((threes == 1).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_given_ones_are_any_of_a_shuffled_layout() -> None:
    torch.manual_seed(0)
    turned = Layout(torch.zeros(3000, 3, 2), torch.tensor([4, 8, 15]).expand(3000, 3)).shuffled()
    given = turned.objects[some_given(turned.objects, torch.ones(3000, dtype=torch.bool))]
    shares = torch.stack([(given == index).float().mean() for index in (4, 8, 15)])
    assert (shares - 1 / 3).abs().max() < 0.03
