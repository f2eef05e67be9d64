"""The ACGAN's discriminators: what they may see and what they may not, and what a window tells them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from clevr_demo.generators.acgan import Painter
from tests.conftest import shaken
from tests.train.made import squares
from train.acgan import PRESETS, TINY, WhatTask
from train.data.batches import Examples
from train.data.iclevr import Pictures
from train.data.layout import find_layout
from train.data.teaching import GAP
from train.data.windows import window_items
from train.learning.discriminators import (
    LayoutDiscriminator,
    WindowDiscriminator,
    WindowDiscriminatorConfig,
    distance,
    edges,
    named_loss,
    windows_of,
)


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


def test_a_window_shows_its_object_and_all_that_belongs_to_it(pictures: Pictures) -> None:
    found = find_layout(pictures)
    items = window_items(found)
    torch.manual_seed(0)
    painter = Painter(TINY)
    batch = Examples(pictures, found, items).batch(torch.arange(len(items[0])))
    seen = windows_of(batch, painter, 24)
    n = len(items[0])
    assert seen.pixels.shape == (n, 3, 24, 24)
    assert seen.canvas.shape == (n, 49, 12, 12)
    assert seen.maps.shape == (n, 13, 6, 6)
    for weight in (seen.mask, seen.focus):
        assert torch.allclose(weight.sum(dim=(1, 2, 3)), torch.ones(n), atol=1e-4)
    named = seen.name >= 0
    assert 0.8 < named.float().mean() < 1  # some windows are put anywhere
    assert torch.equal(seen.name[named], found.objects[items[0], items[1]][named])
    assert seen.weight.amax() == pytest.approx(1.1, abs=0.05)
    whole = windows_of(batch, painter, 0)
    assert torch.equal(whole.pixels, batch.pixels)
    assert whole.canvas.shape == (n, 49, 32, 32)


def test_a_window_over_a_gap_has_no_object_in_focus() -> None:
    task = WhatTask(replace(PRESETS["tiny-what"], anywhere=True), squares())
    assert task.examples.items is not None
    gaps = (task.examples.items[1] == GAP).nonzero().flatten()
    seen = windows_of(task.examples.batch(gaps), task.painter, 24)
    assert (seen.name == -1).all()
    assert torch.allclose(seen.focus.amax(dim=(1, 2, 3)), seen.focus.amin(dim=(1, 2, 3)), atol=1e-5)


def test_windows_that_miss_their_object_are_not_named() -> None:
    logits, names = torch.randn(4, 24), torch.tensor([3, -1, 5, -1])
    expected = F.cross_entropy(logits[[0, 2]], names[[0, 2]])
    assert named_loss(logits, names).item() == pytest.approx(expected.item())
    assert named_loss(logits, torch.full((4,), -1)) == 0


def test_the_distance_counts_objects_most_and_edges_twice() -> None:
    pixels, weight = torch.zeros(1, 3, 8, 8), torch.full((1, 1, 8, 8), 0.1)
    weight[..., :4] = 1.1
    assert distance(pixels, pixels, weight) == 0
    assert distance(pixels + 0.5, pixels, weight).item() == pytest.approx(0.5)
    on, off = pixels.clone(), pixels.clone()
    on[..., 4, 1], off[..., 4, 6] = 0.5, 0.5
    assert distance(on, pixels, weight) > 8 * distance(off, pixels, weight)
