"""Places out of noise: the tables, the scenes they make, and attribute maps."""

from __future__ import annotations

import math

import pytest
import torch

from clevr_demo.objects import multi_hot
from clevr_demo.places import NEAREST, Places, attribute_maps, looked_up, pushed


def noise(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 24, 3, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def fitted() -> Places:
    """Fitted to an oval ring, twice as wide as high, whose pairs stand at least an eighth of the way round apart."""
    generator = torch.Generator().manual_seed(1)
    share = torch.rand(8000, 1, generator=generator)
    between = 0.125 + 0.75 * torch.rand(8000, 1, generator=generator)
    angle = 2 * math.pi * (torch.cat([share, share + between], dim=1) % 1)
    stretch = 1 + 0.25 * torch.rand(angle.shape, generator=generator)
    ring = torch.stack([30 + 8 * stretch * angle.sin(), 32 + 16 * stretch * angle.cos()], dim=-1)
    middle = torch.tensor([30.0, 32.0]) + 0.5 * torch.randn(8000, 2, generator=generator)
    places = Places()
    places.fit(middle, ring)
    return places


def test_a_table_is_read_in_straight_lines() -> None:
    table = torch.tensor([0.0, 10.0, 40.0])
    assert looked_up(table, torch.tensor([-1.0, 0.0, 0.25, 0.75, 1.0, 2.0])).tolist() == [0, 0, 5, 25, 40, 40]


def test_a_single_object_stands_in_the_middle(fitted: Places) -> None:
    centres = fitted(noise(500), multi_hot([[7]] * 500))[:, 7]
    assert (centres.mean(dim=0) - torch.tensor([30.0, 32.0])).abs().max() < 0.1
    assert (centres.std(dim=0) - 0.5).abs().max() < 0.1


def test_of_several_objects_each_is_as_often_in_the_middle_and_the_others_on_the_ring(fitted: Places) -> None:
    objects = [2, 11, 20]
    centres = fitted(noise(3000), multi_hot([objects] * 3000))[:, objects]
    away = (centres - torch.tensor([30.0, 32.0])) / torch.tensor([8.0, 16.0])
    far = away.norm(dim=2)
    inside, outside = far < 0.3, far > 0.85
    assert (inside.sum(dim=1) == 1).float().mean() > 0.9  # the rest are on their way to change places
    assert ((inside | outside).all(dim=1)).float().mean() > 0.9
    assert inside.float().mean(dim=0).tolist() == pytest.approx([1 / 3] * 3, abs=0.04)
    assert far.max() < 1.4


def test_the_ring_is_that_of_the_fitted_pictures(fitted: Places) -> None:
    share, far = torch.rand(2, 20000, generator=torch.Generator().manual_seed(2))
    drawn = fitted.on_ring(share, far)
    stretch = ((drawn - torch.tensor([30.0, 32.0])) / torch.tensor([8.0, 16.0])).norm(dim=1)
    assert stretch.quantile(torch.tensor([0.1, 0.5, 0.9])).tolist() == pytest.approx([1.025, 1.125, 1.225], abs=0.03)
    quarter = (drawn[:, 0] > 30) & (drawn[:, 1] > 32)
    assert float(quarter.float().mean()) == pytest.approx(0.25, abs=0.02)


def test_objects_on_the_ring_keep_apart(fitted: Places) -> None:
    assert float(fitted.apart) == pytest.approx(0.125 + 0.02 * 0.375, abs=0.01)
    objects = [0, 12, 23]
    centres = fitted(noise(2000), multi_hot([objects] * 2000))[:, objects]
    away = (centres - torch.tensor([30.0, 32.0])) / torch.tensor([8.0, 16.0])
    settled = ((away.norm(dim=2) > 0.85).sum(dim=1) == 2) & ((away.norm(dim=2) < 0.3).sum(dim=1) == 1)
    angles = torch.atan2(away[..., 0], away[..., 1]).masked_fill(away.norm(dim=2) < 0.3, torch.nan)[settled]
    pairs = angles[~angles.isnan()].view(-1, 2) / (2 * math.pi)
    apart = ((pairs[:, 0] - pairs[:, 1] + 0.5) % 1 - 0.5).abs()
    assert apart.min() > 0.9 * 0.125


def test_no_two_objects_stand_in_one_place(fitted: Places) -> None:
    objects = [0, 12, 23]
    centres = fitted(noise(3000), multi_hot([objects] * 3000))[:, objects]
    nearest = torch.stack([torch.pdist(three).min() for three in centres])
    assert nearest.quantile(0.01) > 0.8 * NEAREST
    assert pushed(
        torch.tensor([[[10.0, 10.0], [13.0, 14.0]]]), torch.ones(1, 2, 2)
    ).flatten().tolist() == pytest.approx(
        [-1.05, -1.4, 1.05, 1.4], abs=1e-4
    )  # a distance of 5 lacks 3.5, half of which each moves along the line between them


def test_near_noise_gives_a_near_layout(fitted: Places) -> None:
    labels, z = multi_hot([[1, 9]] * 300), noise(300)
    moved = (fitted(z + 1e-4 * noise(300, seed=1), labels) - fitted(z, labels))[:, [1, 9]].norm(dim=2)
    assert moved.median() < 0.05


def test_absent_objects_do_not_matter(fitted: Places) -> None:
    z, labels = noise(4), multi_hot([[3, 8]] * 4)
    other = z.clone()
    other[:, 5] = 9.0
    assert torch.equal(fitted(z, labels)[:, [3, 8]], fitted(other, labels)[:, [3, 8]])
    assert fitted(z, torch.ones(4, 24)).isfinite().all()


def test_maps_of_absent_objects_are_empty() -> None:
    maps = attribute_maps(torch.full((1, 24, 2), 30.5), multi_hot([[3]]), 32)
    assert maps.amax(dim=(2, 3))[0].gt(0.9).nonzero().flatten().tolist() == [3, 8]
    assert float(maps.min()) == -1
