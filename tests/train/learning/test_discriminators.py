"""The ACGAN's discriminators: what they may see and what they may not."""

from __future__ import annotations

import pytest
import torch

from tests.conftest import shaken
from train.learning.discriminators import LayoutDiscriminator, WindowDiscriminator, WindowDiscriminatorConfig, edges


def test_the_layout_critic_does_not_mind_order_or_units() -> None:
    torch.manual_seed(0)
    critic = shaken(LayoutDiscriminator(8, 1, 2))
    objects, centres = torch.tensor([[3, 20, -1]]), torch.tensor([[[20.0, 30.0], [40.0, 12.0], [5.0, 5.0]]])
    logit = critic(objects, centres)
    assert logit.shape == (1,)
    assert torch.allclose(critic(objects[:, [1, 2, 0]], centres[:, [1, 2, 0]]), logit, atol=1e-5)
    moved = centres.clone()
    moved[0, 2] += 9  # where an absent object is said to stand does not matter
    assert torch.allclose(critic(objects, moved), logit, atol=1e-5)
    moved[0, 1] += 9
    assert not torch.allclose(critic(objects, moved), logit, atol=1e-4)


def test_the_window_critic_names_by_pixels_alone_and_judges_by_the_maps_too() -> None:
    torch.manual_seed(0)
    critic = shaken(WindowDiscriminator(WindowDiscriminatorConfig((4, 8, 8))))
    pixels, maps = torch.randn(2, 3, 24, 24), torch.randn(2, 13, 6, 6)
    there = torch.full((2, 1, 6, 6), 1 / 36)
    one, other = critic(pixels, maps, there, there), critic(pixels, -maps, there, there)
    assert [tuple(part.shape) for part in one[:3]] == [(2,), (2,), (2, 24)]
    assert torch.equal(one.named, other.named)  # else the maps would give the name away
    assert not torch.allclose(one.window, other.window)
    assert not torch.allclose(one.patch, other.patch)
    assert critic(torch.randn(1, 3, 64, 64), torch.randn(1, 13, 16, 16), *torch.rand(2, 1, 1, 16, 16)).patch.shape == (
        1,
    )


def test_edges_are_what_a_blur_loses() -> None:
    flat = torch.full((1, 3, 8, 8), 0.3)
    assert torch.allclose(edges(flat), torch.zeros(1), atol=1e-6)
    dot = flat.clone()
    dot[..., 4, 4] += 0.9
    assert edges(dot)[0, 0, 4, 4] == pytest.approx(4 * 0.8)
