"""The distances between sets of pictures are the papers'."""

from __future__ import annotations

import pytest
import torch

from train.measure import distances


def test_the_pyramid_keeps_the_picture() -> None:
    pixels = torch.rand(2, 3, 64, 64)
    parts = distances.pyramid(pixels, 3)
    assert [part.shape[-1] for part in parts] == [64, 32, 16]
    again = parts[-1]
    for part in parts[-2::-1]:
        wide = torch.zeros_like(part)
        wide[:, :, ::2, ::2] = again
        again = part + distances.smooth(wide, gain=4.0)
    assert torch.allclose(again, pixels, atol=1e-5)
    even = distances.pyramid(torch.full((1, 3, 64, 64), 0.5), 3)
    assert torch.allclose(even[-1], torch.tensor(0.5))


def test_sliced_wasserstein_of_shifted_gaussians_is_the_shift() -> None:
    generator = torch.Generator().manual_seed(0)
    block = torch.eye(4)
    points, moved = torch.randn(20_000, 4, generator=generator), torch.randn(10_000, 4, generator=generator) + 0.5
    distance = distances.apart(distances.sorted_projections(block, points), distances.sorted_projections(block, moved))
    assert distance == pytest.approx(0.5, abs=0.03)


def test_coverage_and_density_are_the_papers() -> None:
    real = torch.tensor([[float(n)] for n in range(10)])
    density, coverage = distances.density_coverage(real, torch.tensor([[0.0], [0.1]]))
    # The balls reach to the fifth neighbour: 0 and 0.1 lie in those of 0, ..., 5; 5's reaches from 2 or 3 on.
    radius = torch.cdist(real, real).sort(dim=1).values[:, 5]
    inside = (real - torch.tensor([0.0, 0.1])).abs() < radius.unsqueeze(1)
    assert coverage == pytest.approx(float(inside.any(dim=1).float().mean()))
    assert density == pytest.approx(float(inside.float().sum() / 10))
    assert distances.density_coverage(real, real)[1] == 1
