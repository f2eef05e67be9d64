"""The walk through a GAN's noise."""

from __future__ import annotations

import math

import pytest
import torch

from clevr_demo.generators.walk import latent_path


def test_the_path_is_an_even_arc() -> None:
    generator = torch.Generator().manual_seed(0)
    start, end = torch.randn(2, 64, generator=generator)
    path = latent_path(start / start.norm(), end / end.norm(), 9)
    assert torch.allclose(path.norm(dim=1), torch.ones(9), atol=1e-5)
    angles = [math.acos(float(torch.dot(a, b))) for a, b in zip(path, path[1:], strict=False)]
    assert angles == pytest.approx([sum(angles) / 8] * 8, abs=1e-3)
    assert torch.allclose(path[0], start / start.norm(), atol=1e-6)


@pytest.mark.parametrize("factor", [1.0, -1.0, 2.0])
def test_the_path_between_parallel_points_is_finite(factor: float) -> None:
    end = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    path = latent_path(factor * end, end, 5)
    assert path.isfinite().all()
    assert torch.equal(path[-1], end)
