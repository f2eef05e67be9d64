"""What planners that take given places learn from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clevr_demo.places import on_ground
from tests.train.made import squares
from train.data.given import planners_layouts, some_given, with_one_moved
from train.data.iclevr import load_pictures
from train.data.layout import Layout, find_layout, teaching_layouts
from train.data.lifting import true_layout

NONE = torch.zeros(20_000, dtype=torch.bool)


def counted_layouts() -> tuple[Layout, torch.Tensor]:
    """Layouts of one to five objects, in the order of their indices, and how many each has."""
    counts = torch.randint(1, 6, (20_000,), generator=torch.Generator().manual_seed(0))
    objects = torch.arange(5).expand(20_000, 5).masked_fill(torch.arange(5) >= counts.unsqueeze(1), -1)
    return Layout(objects.unsqueeze(2).expand(-1, -1, 2).float(), objects), counts


def test_real_layouts_come_first() -> None:
    pictures = squares()
    layouts, real = planners_layouts(pictures, given=True)
    expected = teaching_layouts(true_layout(pictures))
    assert torch.equal(layouts.take(slice(0, real)).ticked(), expected.ticked())
    assert torch.equal(layouts.take(slice(0, real)).by_object(), expected.by_object())
    assert len(layouts) - real == pytest.approx(0.15 * len(layouts), abs=2)


def test_without_given_places_the_planner_learns_from_what_it_did(iclevr: Path) -> None:
    pictures = load_pictures(iclevr, progress=False)
    layouts, real = planners_layouts(pictures, given=False)
    expected = teaching_layouts(find_layout(pictures))
    assert real == len(layouts)
    assert torch.equal(layouts.centres, expected.centres)


def test_one_object_is_moved_anywhere_and_the_middle_one_only_where_it_is_in_the_way() -> None:
    middle = torch.tensor([28.0, 31.0])
    centres = torch.stack([middle, torch.tensor([28.0, 48.0]), torch.tensor([40.0, 25.0])]).expand(900, 3, 2)
    real = Layout(centres, torch.tensor([5, 7, 9]).expand(900, 3))
    moved = with_one_moved(real, 500, torch.Generator().manual_seed(0))
    assert len(moved) == 500
    assert (moved.objects.sort(dim=1).values == torch.tensor([5, 7, 9])).all()
    first, rest = moved.centres[:, 0], moved.centres[:, 1:]
    assert on_ground(first).all()
    assert first.std(dim=0).min() > 7
    assert (first.unsqueeze(1) - rest).norm(dim=2).min() >= 9
    home = centres[0][(moved.objects[:, 1:] - 5) // 2]
    assert torch.equal(rest, home)
    by_middle = (first - middle).norm(dim=1) < 9
    assert torch.equal(moved.objects[:, 0] == 5, by_middle)
    assert by_middle.float().mean() > 0.1


def test_in_half_of_the_examples_nothing_is_given_and_never_all() -> None:
    torch.manual_seed(0)
    layout, counts = counted_layouts()
    moved = (torch.arange(20_000) >= 17_000) & (counts > 1)
    found, given = some_given(layout, moved)
    number = given.sum(dim=1)
    assert torch.equal(found.by_object(), layout.by_object())
    assert not given[found.objects < 0].any()
    assert (number < counts).all()
    assert given[moved, 0].all()
    assert (found.objects[moved, 0] == 0).all()
    several = counts > 1
    assert float((number[several] == 0).float().mean()) == pytest.approx(0.5, abs=0.02)
    threes = number[(counts == 3) & (number > 0)]
    assert float((threes == 1).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_given_ones_are_any_of_a_real_layout() -> None:
    torch.manual_seed(0)
    layout, counts = counted_layouts()
    found, given = some_given(layout.take(counts == 3), NONE[counts == 3])
    shares = torch.bincount(found.objects[given], minlength=3) / given.sum()
    assert (shares - 1 / 3).abs().max() < 0.03
