"""What is no object, made of one."""

from __future__ import annotations

import pytest
import torch

from train.data.blobs import KINDS, spoiled


@pytest.mark.parametrize("kind", KINDS)
def test_blobs_are_opaque_at_most_and_about_as_large_as_the_object(kind: str) -> None:
    torch.manual_seed(0)
    mask = torch.zeros(16, 24, 24, dtype=torch.bool)
    mask[:, 8:17, 8:17] = True
    pixels, opacity = spoiled(torch.rand(16, 3, 24, 24), mask, kind, torch.rand(16, 3, 24, 24), mask)
    assert pixels.shape == (16, 3, 24, 24)
    assert opacity.min() >= 0
    assert opacity.max() <= 1
    assert opacity.sum(dim=(1, 2)).min() > 0.25 * 81
    assert opacity.sum(dim=(1, 2)).max() < 1.9 * 81
